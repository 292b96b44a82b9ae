//! Messages.

use std::sync::atomic::Ordering;

use super::{Fake, ledger, message, page, touched};
use crate::rpc::api::{ApiResult, MessageApi};
use crate::rpc::params::*;
use crate::rpc::types::*;

impl MessageApi for Fake {
    async fn message_send(&self, params: SendParams) -> ApiResult<Sent> {
        self.sent.lock().unwrap().push(params);
        Ok(Sent {
            message: MessageId([1; 32]),
            ledger: ledger(),
        })
    }

    async fn message_edit(&self, params: EditParams) -> ApiResult<Message> {
        let body = Body::Text {
            text: params.text,
            reply_to: Some(params.message),
            mentions: params.mentions,
        };
        Ok(Message { body, ..touched() })
    }

    async fn message_delete(&self, _: MessageParams) -> ApiResult<Message> {
        Ok(Message {
            body: Body::Deleted,
            ..message()
        })
    }

    async fn message_react(&self, params: ReactParams) -> ApiResult<Message> {
        if params.remove {
            return Ok(message());
        }
        Ok(touched())
    }

    async fn message_pin(&self, _: MessageParams, remove: bool) -> ApiResult<Message> {
        let pinned = (!remove).then(|| Pinned {
            account: "madang1bob".into(),
            at_ms: 8,
        });
        Ok(Message { pinned, ..message() })
    }

    async fn message_vote(&self, params: VoteParams) -> ApiResult<Message> {
        let option = |(at, text): (u8, &str)| PollOption {
            text: text.into(),
            accounts: params
                .choices
                .contains(&at)
                .then(|| "madang1bob".into())
                .into_iter()
                .collect(),
        };
        let body = Body::Poll {
            question: "when?".into(),
            options: [(0, "now"), (1, "later")].map(option).into(),
            multiple: false,
        };
        Ok(Message { body, ..message() })
    }

    async fn message_list(&self, params: MessageListParams) -> ApiResult<Page<Message>> {
        let count = usize::try_from(params.limit).unwrap();
        let text = "x".repeat(self.text_len.load(Ordering::Relaxed));
        self.lists.lock().unwrap().push(params);
        let body = super::text(text);
        Ok(page(vec![Message { body, ..message() }; count]))
    }

    async fn message_search(&self, params: SearchParams) -> ApiResult<SearchPage> {
        let hit = SearchHit {
            message: message(),
            snippet: format!("…{}", params.query),
            highlights: vec![Highlight {
                start_bytes: 3,
                length_bytes: params.query.len() as u64,
            }],
        };
        Ok(SearchPage {
            items: vec![hit],
            next: params.after,
            complete: true,
        })
    }

    async fn message_get(&self, _: MessageParams) -> ApiResult<Message> {
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        let body = Body::Unknown {
            code: 99,
            fallback: "a sticker".into(),
        };
        Ok(Message {
            outgoing: true,
            body,
            ledger: Some(ledger()),
            ..message()
        })
    }

    async fn message_mark_read(&self, _: MarkReadParams) -> ApiResult<Done> {
        Ok(Done {})
    }
}
