//! What images and voice notes tell, and removing what they shouldn't. Knows bytes only.

pub(crate) mod image;
mod strip;
#[cfg(test)]
mod tests;
pub(crate) mod voice;
