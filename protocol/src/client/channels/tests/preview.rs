//! What a post will look like, before it is published.

use super::*;
use crate::channel::{Button, Card, PostBody};

impl World {
    fn previews(&mut self, place: usize, channel: ChannelId, post: Post) -> Result<PostView, CommandError> {
        let command = ChannelCommand::Preview {
            channel,
            post,
            files: PostFiles::default(),
            at_ms: None,
        };
        let node = &self.nodes[place];
        let before = (node.batches.len(), node.sent.len(), node.published.len());
        let reply = self.channel(place, command);
        let node = &self.nodes[place];
        let after = (node.batches.len(), node.sent.len(), node.published.len());
        assert_eq!(before, after, "something was kept or sent");
        match reply? {
            Reply::Preview(view) => Ok(*view),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_preview_is_what_a_follower_sees_and_leaves_no_trace() {
    let (mut w, channel) = followed();
    w.posts_text(channel, "one");
    let post = Post {
        categories: vec!["news".into()],
        flags: Post::ADVERTISING,
        body: PostBody::Card(Card {
            title: "Signed copies".into(),
            text: "by the author".into(),
            image: None,
            buttons: vec![Button {
                label: "Order".into(),
                url: "https://shop.example/order".into(),
            }],
        }),
        ..Post::text("today only")
    };
    let seen = w.previews(ALICE, channel, post.clone()).unwrap();
    assert_eq!(w.previews(ALICE, channel, post.clone()).unwrap(), seen);
    w.posts(ALICE, channel, post).unwrap();
    let posted = w.reads(BOB, channel).pop().unwrap();
    let as_posted = PostView {
        id: posted.id,
        envelope: posted.envelope.clone(),
        ..seen
    };
    assert_eq!(as_posted, posted);

    let error = w.previews(ALICE, channel, Post::text(" ")).unwrap_err();
    assert!(
        matches!(error, CommandError::Invalid { field: "post.text", .. }),
        "{error}"
    );
    let error = w.previews(BOB, channel, Post::text("mine")).unwrap_err();
    assert!(matches!(error, CommandError::NotAllowed { .. }), "{error}");
    assert_eq!(w.sees(BOB, channel).evidence, 0);
}
