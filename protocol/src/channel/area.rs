//! Circles on the earth: where a post matters, and what matters to a follower.

use super::invalid;
use crate::wire::{DecodeError, Reader, Wire, Writer};
use serde::{Deserialize, Serialize};

/// What is added to degrees, so that they are written without a sign.
const SOUTH: i64 = 90_000_000;
const WEST: i64 = 180_000_000;
/// The earth's mean radius in metres (IUGG).
const EARTH_M: f64 = 6_371_008.8;

/// A circle on the earth: `{uint32 latitude; uint32 longitude; uint32 radius_m;}`, degrees in millionths from the south pole (0 to
/// 180,000,000) and from the 180th meridian eastwards (0 to 360,000,000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Millionths of a degree north, -90,000,000 to 90,000,000.
    pub latitude_e6: i32,
    /// Millionths of a degree east, -180,000,000 to 180,000,000.
    pub longitude_e6: i32,
    /// Metres.
    pub radius_m: u32,
}

impl Area {
    /// Whether there is such a place.
    #[must_use]
    pub fn is_on_earth(&self) -> bool {
        let within = |value: i32, most: i64| i64::from(value).abs() <= most;
        within(self.latitude_e6, SOUTH) && within(self.longitude_e6, WEST)
    }

    /// Whether two circles meet, by the great circle between their centres.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        let radians = |e6: i32| (f64::from(e6) / 1e6).to_radians();
        let (here, there) = (radians(self.latitude_e6), radians(other.latitude_e6));
        let across = radians(other.longitude_e6) - radians(self.longitude_e6);
        let half = |angle: f64| (angle / 2.0).sin().powi(2);
        let chord = half(there - here) + here.cos() * there.cos() * half(across);
        let apart_m = 2.0 * EARTH_M * chord.clamp(0.0, 1.0).sqrt().asin();
        apart_m <= f64::from(self.radius_m) + f64::from(other.radius_m)
    }
}

impl Wire for Area {
    fn write(&self, w: &mut Writer) {
        let unsigned = |value: i32, offset: i64| u32::try_from(i64::from(value) + offset).unwrap_or(0);
        w.u32(unsigned(self.latitude_e6, SOUTH));
        w.u32(unsigned(self.longitude_e6, WEST));
        w.u32(self.radius_m);
    }
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let signed = |field, value: u32, offset: i64| {
            let value = i64::from(value) - offset;
            match i32::try_from(value) {
                Ok(value) if i64::from(value) <= offset => Ok(value),
                _ => Err(invalid(field, "beyond the earth")),
            }
        };
        Ok(Self {
            latitude_e6: signed("area.latitude", r.u32("area.latitude")?, SOUTH)?,
            longitude_e6: signed("area.longitude", r.u32("area.longitude")?, WEST)?,
            radius_m: r.u32("area.radius_m")?,
        })
    }
}
