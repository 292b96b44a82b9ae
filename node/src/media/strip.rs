//! Removes from images what they tell beside the picture: where and when it was taken, by which device, thumbnails of what was cut away,
//! comments, and whatever hangs behind the end. The picture's bytes stay as they are; so does its orientation, and its colour profile.
//!
//! Only what is known to belong to the picture is kept, so that what is not known is gone.

/// A TIFF header, one tag: the orientation (Exif 2.3, section 4.6.2). The value follows.
const ORIENTATION: [u8; 18] = [b'M', b'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1];

/// An image without metadata; `None` if it is none of JPEG, PNG, WebP and GIF, or is cut or malformed. `orientation` is 1 to 8 as Exif has
/// it.
pub(crate) fn strip(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    match bytes {
        [0xff, 0xd8, ..] => jpeg(bytes, orientation),
        [0x89, b'P', b'N', b'G', ..] => png(bytes, orientation),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(bytes, orientation),
        [b'G', b'I', b'F', b'8', ..] => gif(bytes),
        _ => None,
    }
}

fn exif(orientation: u8) -> Vec<u8> {
    [&ORIENTATION, [0, orientation, 0, 0].as_slice(), &[0; 4]].concat()
}

/// Bytes from the front of a slice.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (front, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(front)
}

fn jpeg(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut clean = take(&mut rest, 2)?.to_vec();
    let mut turned = orientation <= 1;
    loop {
        let [0xff, marker] = *take(&mut rest, 2)? else {
            return None;
        };
        // Any number of fill bytes may stand in front of a marker.
        if marker == 0xff {
            rest = bytes.get(bytes.len() - rest.len() - 1..)?;
            continue;
        }
        if marker == 0xd9 {
            clean.extend([0xff, 0xd9]);
            return Some(clean);
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let segment = take(&mut rest, length)?;
        let is_first_app = marker == 0xe0;
        let keeps = match marker {
            0xe0 | 0xee => true,
            0xe2 => segment
                .get(2..)
                .is_some_and(|content| content.starts_with(b"ICC_PROFILE\0")),
            0xe1..=0xef | 0xfe => false,
            _ => true,
        };
        if !turned && !is_first_app {
            let content = [b"Exif\0\0".as_slice(), &exif(orientation)].concat();
            clean.extend([0xff, 0xe1]);
            clean.extend(u16::try_from(content.len() + 2).ok()?.to_be_bytes());
            clean.extend(content);
            turned = true;
        }
        if keeps {
            clean.extend([0xff, marker]);
            clean.extend(segment);
        }
        if marker == 0xda {
            let scan = scan_length(rest)?;
            clean.extend(take(&mut rest, scan)?);
        }
    }
}

/// Bytes of a scan's data: up to a marker that is neither a stuffed byte nor a restart.
fn scan_length(bytes: &[u8]) -> Option<usize> {
    let pairs = bytes.windows(2);
    pairs
        .enumerate()
        .find(|(_, pair)| matches!(pair, [0xff, next] if !matches!(next, 0 | 0xd0..=0xd7 | 0xff)))
        .map(|(at, _)| at)
}

fn png(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    const KEPT: [&[u8; 4]; 13] = [
        b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD", b"pHYs", b"hIST", b"acTL", b"fcTL",
        b"fdAT",
    ];
    let mut rest = bytes;
    let mut clean = take(&mut rest, 8)?.to_vec();
    loop {
        let whole = rest;
        let length = u32::from_be_bytes(take(&mut rest, 4)?.try_into().ok()?) as usize;
        let kind: &[u8; 4] = take(&mut rest, 4)?.try_into().ok()?;
        take(&mut rest, length.checked_add(4)?)?;
        let chunk = whole.get(..length.checked_add(12)?)?;
        // Critical chunks begin with a capital.
        if kind.first().is_some_and(u8::is_ascii_uppercase) || KEPT.contains(&kind) {
            clean.extend(chunk);
        }
        if kind == b"IHDR" && orientation > 1 {
            let content = [b"eXIf".as_slice(), &exif(orientation)].concat();
            clean.extend(u32::try_from(content.len() - 4).ok()?.to_be_bytes());
            clean.extend(&content);
            clean.extend(crc32fast::hash(&content).to_be_bytes());
        }
        if kind == b"IEND" {
            return Some(clean);
        }
    }
}

fn webp(bytes: &[u8], orientation: u8) -> Option<Vec<u8>> {
    const KEPT: [&[u8; 4]; 7] = [b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF"];
    /// Flags of `VP8X`: Exif and XMP (RFC 9649, section 2.7).
    const EXIF: u8 = 0x08;
    const XMP: u8 = 0x04;
    let mut rest = bytes;
    let head = take(&mut rest, 12)?;
    let told = u32::from_le_bytes(head.get(4..8)?.try_into().ok()?) as usize;
    rest = rest.get(..told.checked_sub(4)?.min(rest.len()))?;
    let mut clean = head.to_vec();
    let mut is_extended = false;
    while !rest.is_empty() {
        let kind: &[u8; 4] = take(&mut rest, 4)?.try_into().ok()?;
        let length = u32::from_le_bytes(take(&mut rest, 4)?.try_into().ok()?);
        let padded = (length as usize).checked_add(length as usize % 2)?;
        let there = padded.min(rest.len());
        let content = take(&mut rest, there)?;
        if content.len() < length as usize {
            return None;
        }
        if !KEPT.contains(&kind) {
            continue;
        }
        clean.extend(kind);
        clean.extend(length.to_le_bytes());
        let begin = clean.len();
        clean.extend(content);
        if kind == b"VP8X" {
            let flags = clean.get_mut(begin)?;
            *flags &= !(EXIF | XMP);
            if orientation > 1 {
                *flags |= EXIF;
            }
            is_extended = true;
        }
    }
    if orientation > 1 && is_extended {
        let content = exif(orientation);
        clean.extend(b"EXIF");
        clean.extend(u32::try_from(content.len()).ok()?.to_le_bytes());
        clean.extend(content);
    }
    let size = u32::try_from(clean.len().checked_sub(8)?).ok()?;
    clean.get_mut(4..8)?.copy_from_slice(&size.to_le_bytes());
    Some(clean)
}

fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut clean = Vec::with_capacity(bytes.len());
    let head = take(&mut rest, 13)?;
    clean.extend(head);
    clean.extend(take(&mut rest, table(*head.get(10)?))?);
    loop {
        let whole = rest;
        let keeps = match take(&mut rest, 1)? {
            [0x3b] => {
                clean.push(0x3b);
                return Some(clean);
            }
            [0x2c] => {
                let descriptor = take(&mut rest, 9)?;
                take(&mut rest, table(*descriptor.get(8)?))?;
                take(&mut rest, 1)?;
                blocks(&mut rest)?;
                true
            }
            [0x21] => {
                let label = take(&mut rest, 1)?;
                let first = rest.get(1..12).unwrap_or_default();
                blocks(&mut rest)?;
                match label {
                    // How often it is played.
                    [0xff] => first == b"NETSCAPE2.0" || first == b"ANIMEXTS1.0",
                    [0xf9 | 0x01] => true,
                    _ => false,
                }
            }
            _ => return None,
        };
        if keeps {
            clean.extend(whole.get(..whole.len() - rest.len())?);
        }
    }
}

/// Bytes of a colour table, by the flags that announce it.
fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << (1 + (flags & 7)) }
}

/// Passes sub-blocks, up to the empty one.
fn blocks(rest: &mut &[u8]) -> Option<()> {
    while let [length] = take(rest, 1)? {
        if *length == 0 {
            break;
        }
        take(rest, usize::from(*length))?;
    }
    Some(())
}
