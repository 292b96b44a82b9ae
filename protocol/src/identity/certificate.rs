//! A device's word that a transport key is its own. It travels only inside chats, cards and requests, so that relays and strangers
//! don't see who is who.

use crate::keys::{BadSignature, DeviceId, DeviceSecret, Domain, TransportKey};
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

/// `struct { uint16 version = 1; opaque device[32]; opaque transport[32]; uint64 issued_s; opaque signature[64]; }`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportCertificate {
    /// The device that vouches.
    pub device: DeviceId,
    /// The key that it uses.
    pub transport: TransportKey,
    /// Unix seconds; of two, the later counts.
    pub issued_s: u64,
    /// By the device.
    #[serde(with = "serde_bytes")]
    pub signature: [u8; 64],
}

const VERSION: u16 = 1;

impl TransportCertificate {
    /// Certifies a transport key.
    pub fn sign(device: &DeviceSecret, transport: TransportKey, issued_s: u64) -> Self {
        let mut certificate = Self {
            device: device.public(),
            transport,
            issued_s,
            signature: [0; 64],
        };
        certificate.signature = device.sign(Domain::TransportCertificate, &certificate.signed());
        certificate
    }

    /// Checks the device's signature.
    pub fn verify(&self) -> Result<(), BadSignature> {
        self.device
            .verify(Domain::TransportCertificate, &self.signed(), &self.signature)
    }

    fn signed(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.write_unsigned(&mut w);
        w.into_bytes()
    }

    fn write_unsigned(&self, w: &mut Writer) {
        w.u16(VERSION);
        self.device.write(w);
        self.transport.write(w);
        w.u64(self.issued_s);
    }
}

impl Wire for TransportCertificate {
    fn write(&self, w: &mut Writer) {
        self.write_unsigned(w);
        w.fixed(&self.signature);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.version("transport_certificate.version", VERSION)?;
        Ok(Self {
            device: DeviceId::read(r)?,
            transport: TransportKey::read(r)?,
            issued_s: r.u64("transport_certificate.issued_s")?,
            signature: r.array("transport_certificate.signature")?,
        })
    }
}
