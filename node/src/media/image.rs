//! Images that are sent: their size as they are shown, a thumbnail and a blurred preview, made with bounds against bombs.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::strip::strip;

/// Bytes of an image that is looked into; larger ones go as files.
pub(crate) const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Pixels of one (guess: the largest of telephones, but for those that are put together of several).
const MAX_PIXELS: u64 = 50_000_000;
/// Pixels of a side.
const MAX_SIDE: u32 = 16_384;
/// Bytes that decoding may take: the most pixels, three bytes each, and what a decoder needs beside.
const MAX_ALLOC: u64 = 192 * 1024 * 1024;
/// Longest sides of a thumbnail, the first that fits counts, with the quality of its JPEG.
const THUMBNAILS: [(u32, u8); 5] = [(320, 70), (240, 60), (160, 60), (96, 50), (48, 40)];
/// Longest side of what a preview is made of (ThumbHash's own bound).
const PREVIEW: u32 = 100;

/// What a message says of an image.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) thumbnail: Vec<u8>,
    pub(crate) preview: Vec<u8>,
    pub(crate) media_type: &'static str,
}

/// Why an image isn't sent as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImageError {
    #[error("is no JPEG, PNG, WebP or GIF; send it as a file")]
    Format,
    #[error("is damaged, or not what it says; send it as a file")]
    Damaged,
    #[error("is over 32 MiB, 50 million pixels or 16,384 pixels on a side; send it as a file")]
    TooLarge,
}

/// Looks at an image; its thumbnail has at most `thumbnail_bytes`.
pub(crate) fn look(bytes: &[u8], thumbnail_bytes: usize) -> Result<Seen, ImageError> {
    let (mut shown, orientation, media_type) = decode(bytes)?;
    shown.apply_orientation(orientation);
    let (width, height) = (shown.width(), shown.height());
    // The whole isn't needed from here on, and is large.
    let first = THUMBNAILS.first().map_or(PREVIEW, |(side, _)| *side);
    let small = smaller(&shown, first);
    drop(shown);
    let thumbnail = THUMBNAILS.iter().find_map(|(side, quality)| {
        let jpeg = encoded(&smaller(&small, *side), *quality)?;
        (jpeg.len() <= thumbnail_bytes).then_some(jpeg)
    });
    let tiny = smaller(&small, PREVIEW).into_rgba8();
    let preview = thumbhash::rgba_to_thumb_hash(tiny.width() as usize, tiny.height() as usize, tiny.as_raw());
    Ok(Seen {
        width,
        height,
        thumbnail: thumbnail.unwrap_or_default(),
        preview,
        media_type,
    })
}

/// The image without what it tells beside the picture.
pub(crate) fn stripped(bytes: &[u8]) -> Result<Vec<u8>, ImageError> {
    let (mut decoder, _) = decoder(bytes)?;
    strip(bytes, turned(&mut decoder).to_exif()).ok_or(ImageError::Damaged)
}

fn decode(bytes: &[u8]) -> Result<(DynamicImage, Orientation, &'static str), ImageError> {
    let (mut decoder, media_type) = decoder(bytes)?;
    let orientation = turned(&mut decoder);
    let image = DynamicImage::from_decoder(decoder).map_err(|_| ImageError::Damaged)?;
    Ok((image, orientation, media_type))
}

fn decoder(bytes: &[u8]) -> Result<(impl image::ImageDecoder + '_, &'static str), ImageError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(ImageError::TooLarge);
    }
    let mut reader = ImageReader::new(Cursor::new(bytes));
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    let format = image::guess_format(bytes).map_err(|_| ImageError::Format)?;
    let media_type = match format {
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Png => "image/png",
        ImageFormat::WebP => "image/webp",
        ImageFormat::Gif => "image/gif",
        _ => return Err(ImageError::Format),
    };
    reader.set_format(format);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|error| match error {
        image::ImageError::Limits(_) => ImageError::TooLarge,
        _ => ImageError::Damaged,
    })?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(ImageError::Damaged);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS || decoder.total_bytes() > MAX_ALLOC {
        return Err(ImageError::TooLarge);
    }
    Ok((decoder, media_type))
}

fn turned(decoder: &mut impl image::ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// The image with its longer side at most so long; never larger than it is.
fn smaller(image: &DynamicImage, side: u32) -> DynamicImage {
    if image.width().max(image.height()) <= side {
        return image.clone();
    }
    image.thumbnail(side, side)
}

fn encoded(image: &DynamicImage, quality: u8) -> Option<Vec<u8>> {
    // What shows through is white in JPEG.
    let rgba = image.to_rgba8();
    let mut rgb = image::RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, a] = from.0.map(u32::from);
        to.0 = [r, g, b].map(|c| ((c * a + 255 * (255 - a)) / 255) as u8);
    }
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode_image(&rgb)
        .ok()?;
    Some(bytes)
}
