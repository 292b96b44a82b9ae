//! Channels: those that are followed and own ones.

use super::super::channels;
use super::{Fake, page};
use crate::rpc::api::{ApiResult, ChannelApi};
use crate::rpc::directory::{ChannelSearchParams, EnlistParams, FoundChannels};
use crate::rpc::figures::{ChannelFigures, ChannelFiguresParams, FiguresState, RelayFigures};
use crate::rpc::params::*;
use crate::rpc::polls::{ChannelVoteParams, PollFigures};
use crate::rpc::reports::{ReportParams, ReportSent};
use crate::rpc::types::*;

impl ChannelApi for Fake {
    async fn channel_list(&self, _: ListParams) -> ApiResult<Page<Channel>> {
        Ok(page(vec![channels::channel(5), channels::channel(6)]))
    }

    async fn channel_get(&self, channel: ChannelId) -> ApiResult<Channel> {
        channels::known(channel)
    }

    async fn channel_create(&self, params: ChannelCreateParams) -> ApiResult<Channel> {
        Ok(Channel {
            name: params.name,
            ..channels::channel(5)
        })
    }

    async fn channel_update(&self, params: ChannelUpdateParams) -> ApiResult<Channel> {
        channels::known(params.channel)
    }

    async fn channel_follow(&self, params: FollowParams) -> ApiResult<Channel> {
        Ok(Channel {
            link: params.link,
            via: params.via,
            ..channels::channel(5)
        })
    }

    async fn channel_via(&self, params: ViaParams) -> ApiResult<Channel> {
        Ok(Channel {
            via: params.via,
            ..channels::known(params.channel)?
        })
    }

    async fn channel_unfollow(&self, channel: ChannelId) -> ApiResult<Done> {
        channels::known(channel).map(|_| Done {})
    }

    async fn channel_mute(&self, params: MuteParams) -> ApiResult<Channel> {
        let muted = params.muted;
        Ok(Channel {
            muted,
            ..channels::known(params.channel)?
        })
    }

    async fn channel_block(&self, params: BlockParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_preview(&self, params: ChannelPreviewParams) -> ApiResult<Post> {
        channels::known(params.channel)?;
        Ok(channels::post())
    }

    async fn channel_post(&self, params: ChannelPostParams) -> ApiResult<Posted> {
        channels::known(params.channel)?;
        Ok(Posted {
            post: PostId([8; 32]),
            planned: params.at_ms.is_some(),
        })
    }

    async fn channel_plans(&self, channel: ChannelId) -> ApiResult<Page<Plan>> {
        channels::known(channel)?;
        let body = PostBody::Text { text: "soon".into() };
        let post = PostId([8; 32]);
        Ok(page(vec![Plan { post, at_ms: 9, body }]))
    }

    async fn channel_unplan(&self, params: PostParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_edit(&self, params: ChannelEditParams) -> ApiResult<Posted> {
        channels::known(params.channel)?;
        let planned = false;
        Ok(Posted {
            post: params.post,
            planned,
        })
    }

    async fn channel_retract(&self, params: RetractParams) -> ApiResult<Posted> {
        channels::known(params.channel)?;
        let planned = false;
        Ok(Posted {
            post: params.post,
            planned,
        })
    }

    async fn channel_posts(&self, params: PostListParams) -> ApiResult<PostPage> {
        channels::known(params.channel)?;
        Ok(PostPage {
            items: vec![channels::post()],
            next: None,
            prev: Some("opaque".into()),
        })
    }

    async fn channel_fetch(&self, params: PostParams) -> ApiResult<Blobs> {
        channels::known(params.channel)?;
        Ok(Blobs { items: Vec::new() })
    }

    async fn channel_mark_read(&self, params: PostParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_evidence(&self, channel: ChannelId) -> ApiResult<Page<ChannelEvidence>> {
        channels::known(channel)?;
        Ok(page(vec![channels::evidence()]))
    }

    async fn channel_verify(&self, _: VerifyParams) -> ApiResult<ChannelEvidence> {
        Ok(channels::evidence())
    }

    async fn channel_terms(&self, params: TermsParams) -> ApiResult<Channel> {
        Ok(Channel {
            terms: Some(params.terms),
            ..channels::known(params.channel)?
        })
    }

    async fn channel_digest(&self, channel: ChannelId) -> ApiResult<Page<Post>> {
        channels::known(channel)?;
        Ok(page(vec![channels::post()]))
    }

    async fn channel_vote(&self, params: ChannelVoteParams) -> ApiResult<Post> {
        channels::known(params.channel)?;
        Ok(channels::post())
    }

    async fn channel_report(&self, params: ReportParams) -> ApiResult<ReportSent> {
        channels::known(params.channel)?;
        Ok(ReportSent {
            relays: vec![RelayKey([9; 32])],
        })
    }

    async fn channel_figures(&self, params: ChannelFiguresParams) -> ApiResult<ChannelFigures> {
        channels::known(params.channel)?;
        Ok(ChannelFigures {
            watchers: Some(30),
            deliveries: None,
            relays: vec![RelayFigures {
                relay: RelayKey([9; 32]),
                state: FiguresState::Told,
                reason: None,
                watchers: Some(30),
                counted_ms: Some(4),
                deliveries: None,
            }],
            polls: vec![PollFigures {
                post: PostId([8; 32]),
                until_ms: 9,
                open: true,
                voters: 40,
                options: vec![30, 0],
                capped: false,
            }],
        })
    }

    async fn channel_publish_result(&self, params: PostParams) -> ApiResult<Post> {
        channels::known(params.channel)?;
        Ok(channels::post())
    }

    async fn channel_writer_key(&self, channel: ChannelId) -> ApiResult<WriterKeyMade> {
        channels::known(channel)?;
        Ok(WriterKeyMade {
            writer: WriterKey([6; 32]),
        })
    }

    async fn channel_certify(&self, params: CertifyParams) -> ApiResult<Certified> {
        channels::known(params.channel)?;
        Ok(Certified {
            certificate: "madang:writer?d=AAAA".into(),
        })
    }

    async fn channel_use_certificate(&self, _: UseCertificateParams) -> ApiResult<Channel> {
        Ok(channels::channel(5))
    }

    async fn channel_writers(&self, channel: ChannelId) -> ApiResult<Page<ChannelWriter>> {
        channels::known(channel)?;
        Ok(page(vec![ChannelWriter {
            writer: WriterKey([6; 32]),
            scopes: vec![WriterScope::Publish],
            categories: None,
            from_ms: 1,
            until_ms: 2,
            number: 0,
        }]))
    }

    async fn channel_revoke(&self, params: RevokeParams) -> ApiResult<Done> {
        channels::known(params.channel).map(|_| Done {})
    }

    async fn channel_recovery_key(&self, channel: ChannelId) -> ApiResult<RecoveryMade> {
        channels::known(channel)?;
        Ok(RecoveryMade {
            key: "madang:recovery?d=AAAA".into(),
        })
    }

    async fn channel_recover(&self, _: RecoverParams) -> ApiResult<Channel> {
        Ok(channels::channel(5))
    }

    async fn channel_vouch(&self, channel: ChannelId) -> ApiResult<(String, Vec<u8>)> {
        channels::known(channel)?;
        Ok(("shop.example".into(), vec![1, 2]))
    }

    async fn channel_enlist(&self, params: EnlistParams) -> ApiResult<Channel> {
        channels::known(params.channel)
    }

    async fn channel_search(&self, _: ChannelSearchParams) -> ApiResult<FoundChannels> {
        Ok(FoundChannels {
            items: Vec::new(),
            next: None,
        })
    }

    async fn channel_prove(&self, channel: ChannelId, _: String, _: Vec<Vec<u8>>) -> ApiResult<Channel> {
        channels::known(channel)
    }
}
