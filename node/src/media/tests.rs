#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Cursor;

use ::image::{DynamicImage, ImageFormat, RgbaImage};

use super::image::{ImageError, look, stripped};
use super::voice::{VoiceError, listen};

/// A picture whose left half is red.
fn picture(width: u32, height: u32) -> DynamicImage {
    let color = |x, _| {
        if x < width / 2 {
            [255, 0, 0, 255]
        } else {
            [0, 0, 255, 255]
        }
    };
    DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, |x, y| color(x, y).into()))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = match format {
        ImageFormat::Jpeg => DynamicImage::ImageRgb8(picture.to_rgb8()),
        _ => picture.clone(),
    };
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Exif with an orientation and a secret.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend(b"SECRET place");
    exif
}

fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], length.as_slice(), content].concat()
}

/// A JPEG with Exif, a comment and something behind its end.
fn telling_jpeg(orientation: u8) -> Vec<u8> {
    let plain = encoded(&picture(64, 32), ImageFormat::Jpeg);
    let exif = segment(0xe1, &[b"Exif\0\0".as_slice(), &exif(orientation)].concat());
    let comment = segment(0xfe, b"SECRET comment");
    [&plain[..2], &exif, &comment, &plain[2..], b"SECRET film"].concat()
}

fn telling_png() -> Vec<u8> {
    let plain = encoded(&picture(64, 32), ImageFormat::Png);
    let text = b"Comment\0SECRET text";
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    // Nobody looks at the checksum of a chunk that is dropped.
    [
        &plain[..33],
        &length,
        b"tEXt",
        text,
        &[0; 4],
        &plain[33..],
        b"SECRET film",
    ]
    .concat()
}

fn telling_webp() -> Vec<u8> {
    let mut plain = encoded(&picture(64, 32), ImageFormat::WebP);
    let secret = exif(1);
    plain.extend(b"EXIF");
    plain.extend(u32::try_from(secret.len()).unwrap().to_le_bytes());
    plain.extend(&secret);
    if secret.len() % 2 == 1 {
        plain.push(0);
    }
    let size = u32::try_from(plain.len() - 8).unwrap().to_le_bytes();
    plain[4..8].copy_from_slice(&size);
    plain
}

fn telling_gif() -> Vec<u8> {
    let plain = encoded(&picture(64, 32), ImageFormat::Gif);
    let end = plain.len() - 1;
    let comment = [&[0x21, 0xfe, 14], b"SECRET comment".as_slice(), &[0]].concat();
    [&plain[..end], &comment, &plain[end..], b"SECRET film"].concat()
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"SECRET")
}

#[test]
fn what_an_image_tells_beside_the_picture_is_removed_and_the_picture_stays() {
    for (name, telling) in [
        ("jpeg", telling_jpeg(1)),
        ("png", telling_png()),
        ("webp", telling_webp()),
        ("gif", telling_gif()),
    ] {
        assert!(tells(&telling), "{name}");
        let clean = stripped(&telling).unwrap();
        assert!(!tells(&clean), "{name}");
        let pixels = |bytes: &[u8]| ::image::load_from_memory(bytes).unwrap().into_rgba8();
        assert_eq!(pixels(&clean), pixels(&telling), "{name}");
        assert_eq!(
            stripped(&clean).unwrap(),
            clean,
            "{name}: there is nothing left to remove"
        );
    }
}

#[test]
fn an_image_keeps_its_orientation_and_its_size_is_as_it_is_shown() {
    let upright = look(&telling_jpeg(1), 12_288).unwrap();
    assert_eq!(
        (upright.width, upright.height, upright.media_type),
        (64, 32, "image/jpeg")
    );
    let clean = stripped(&telling_jpeg(6)).unwrap();
    let turned = look(&clean, 12_288).unwrap();
    assert_eq!((turned.width, turned.height), (32, 64));
    assert!(!tells(&clean));
}

#[test]
fn thumbnails_and_previews_are_small_and_pictures() {
    let large = encoded(&picture(2_000, 1_000), ImageFormat::Png);
    for most in [12_288, 2_000] {
        let seen = look(&large, most).unwrap();
        assert_eq!((seen.width, seen.height), (2_000, 1_000));
        let thumbnail = ::image::load_from_memory(&seen.thumbnail).unwrap();
        assert!(seen.thumbnail.len() <= most && thumbnail.width() == 2 * thumbnail.height());
        assert!((5..=32).contains(&seen.preview.len()));
    }
    assert!(look(&large, 10).unwrap().thumbnail.is_empty(), "none fits");
}

#[test]
fn f07_bombs_and_broken_images_are_refused_before_they_take_memory() {
    // A PNG that claims more pixels than its few bytes could have.
    let claiming = |width: u32, height: u32| {
        let mut png = encoded(&picture(8, 8), ImageFormat::Png);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let crc = crc32fast::hash(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        png
    };
    for (width, height) in [(60_000, 60_000), (16_000, 16_000), (17_000, 1)] {
        assert_eq!(
            look(&claiming(width, height), 12_288).unwrap_err(),
            ImageError::TooLarge
        );
    }
    assert!(look(&claiming(7_000, 7_000), 12_288).is_err());
    for whole in [telling_jpeg(6), telling_png(), telling_webp(), telling_gif()] {
        for end in 0..whole.len() {
            // Cut anywhere it gives an error or an image, and never panics.
            stripped(&whole[..end]).ok();
        }
        for end in (0..whole.len()).step_by(97) {
            look(&whole[..end], 12_288).ok();
        }
    }
    assert_eq!(look(b"hello", 12_288).unwrap_err(), ImageError::Format);
    assert_eq!(look(b"BM hello, a bitmap", 12_288).unwrap_err(), ImageError::Format);
}

/// Two seconds, the second one loud.
fn wav() -> Vec<u8> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for at in 0..16_000_i32 {
        let loud = if at < 8_000 { 300 } else { 30_000 };
        writer
            .write_sample(if at % 2 == 0 { loud } else { -loud } as i16)
            .unwrap();
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn page(granule: u64, content: &[u8]) -> Vec<u8> {
    let mut page = b"OggS\0\0".to_vec();
    page.extend(granule.to_le_bytes());
    page.extend([0; 12]);
    page.extend([1, u8::try_from(content.len()).unwrap()]);
    page.extend(content);
    page
}

fn opus() -> Vec<u8> {
    let head = [b"OpusHead".as_slice(), &[1, 1], &312_u16.to_le_bytes(), &[0; 7]].concat();
    [page(0, &head), page(48_312, &[1; 50]), page(72_312, &[2; 50])].concat()
}

#[test]
fn voice_notes_tell_their_length_and_wav_its_loudness() {
    let heard = listen(&wav()).unwrap();
    assert_eq!((heard.duration_ms, heard.media_type), (2_000, "audio/wav"));
    assert_eq!(heard.waveform.len(), 64);
    assert!(
        heard.waveform[..30].iter().all(|value| *value < 10) && heard.waveform[34..].iter().all(|value| *value > 200)
    );
    let heard = listen(&opus()).unwrap();
    assert_eq!((heard.duration_ms, heard.media_type), (1_500, "audio/ogg"));
    assert!(heard.waveform.is_empty());
}

#[test]
fn f07_broken_voice_notes_are_refused() {
    assert_eq!(listen(b"hello"), Err(VoiceError::Format));
    let vorbis = page(0, b"\x01vorbis and more of it");
    assert_eq!(listen(&vorbis), Err(VoiceError::Format));
    for whole in [wav(), opus()] {
        for end in (0..whole.len()).step_by(1 + whole.len() / 300) {
            listen(&whole[..end]).ok();
        }
    }
    assert_eq!(listen(&opus()[..90]), Err(VoiceError::Damaged));
}
