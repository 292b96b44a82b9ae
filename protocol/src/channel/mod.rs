//! Channels: what a brand and its writers sign on the topic that is its key, so that anybody can check it (`spec/channel.md`).
//!
//! | file | what |
//! |---|---|
//! | `certificate` | who may write, and the chain from the channel's key to it |
//! | `manifest` | what a channel says of itself |
//! | `ballot` | polls: where they are answered, an answer, the result |
//! | `post`, `area` | what a post says, and where it matters |
//! | `entry` | a writer's numbered, hash-chained acts: posts, edits, retractions |
//! | `beacon` | all writers' heads, revocations and the manifest, by the root |
//! | `link` | the link by which it is followed |
//! | `listing` | what it says of itself in a relay's directory |
//! | `inquiry` | with what a relay is asked for figures of it |
//! | `evidence` | two signed things that no honest channel has both of |
//! | `terms` | what a follower wants of a channel, and when |
//! | `vouch` | what a domain publishes to vouch for a channel |

mod area;
mod ballot;
mod beacon;
mod certificate;
mod entry;
mod evidence;
mod inquiry;
mod link;
mod listing;
mod manifest;
mod post;
pub mod terms;
mod vouch;

pub use area::Area;
pub use ballot::{Ballot, BallotBox, PollResult, rounded};
pub use beacon::{Beacon, Head, Revocation};
pub(crate) use certificate::AuthorityError;
pub use certificate::{Authority, Scopes, Signatory, WriterCertificate};
pub use entry::{Act, Entry, Statement};
pub use evidence::{Evidence, EvidenceError, Proof};
pub use inquiry::{Inquiry, InquiryError};
pub use link::{ChannelLink, LinkError};
pub use listing::{Listing, ListingError, Wanted};
pub use manifest::{Category, Manifest, Policy, WebLink, is_category, is_domain};
pub use post::{Button, Card, Coupon, Event, Post, PostBody, is_actionable};
pub use vouch::{Vouch, VouchError};

use crate::wire::DecodeError;

/// A value that the format doesn't allow.
fn invalid(field: &'static str, reason: &'static str) -> DecodeError {
    DecodeError::Invalid { field, reason }
}
