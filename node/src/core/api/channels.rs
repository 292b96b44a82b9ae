//! Channels: those that are followed and own ones.

use super::{Facade, page};
use crate::core::channels::verify;
use crate::rpc::api::{ApiResult, ChannelApi};
use crate::rpc::directory::{ChannelSearchParams, EnlistParams, FoundChannels};
use crate::rpc::figures::{ChannelFigures, ChannelFiguresParams};
use crate::rpc::params::*;
use crate::rpc::polls::ChannelVoteParams;
use crate::rpc::reports::{ReportParams, ReportSent};
use crate::rpc::types::*;

impl ChannelApi for Facade {
    async fn channel_list(&self, params: ListParams) -> ApiResult<Page<Channel>> {
        let items = self.channels().await?.into_iter();
        page(items.map(|channel| (channel.channel.0, channel)), &params)
    }

    async fn channel_get(&self, channel: ChannelId) -> ApiResult<Channel> {
        self.channel(channel).await
    }

    async fn channel_create(&self, params: ChannelCreateParams) -> ApiResult<Channel> {
        self.make_channel(params).await
    }

    async fn channel_update(&self, params: ChannelUpdateParams) -> ApiResult<Channel> {
        self.change_channel(params).await
    }

    async fn channel_follow(&self, params: FollowParams) -> ApiResult<Channel> {
        self.follow(params).await
    }

    async fn channel_via(&self, params: ViaParams) -> ApiResult<Channel> {
        self.via(params).await
    }

    async fn channel_unfollow(&self, channel: ChannelId) -> ApiResult<Done> {
        self.unfollow(channel).await
    }

    async fn channel_mute(&self, params: MuteParams) -> ApiResult<Channel> {
        self.mute(params).await
    }

    async fn channel_block(&self, params: BlockParams) -> ApiResult<Done> {
        self.block(params).await
    }

    async fn channel_preview(&self, params: ChannelPreviewParams) -> ApiResult<Post> {
        self.preview_post(params).await
    }

    async fn channel_post(&self, params: ChannelPostParams) -> ApiResult<Posted> {
        self.post(params).await
    }

    async fn channel_plans(&self, channel: ChannelId) -> ApiResult<Page<Plan>> {
        self.plans(channel).await
    }

    async fn channel_unplan(&self, params: PostParams) -> ApiResult<Done> {
        self.unplan(params).await
    }

    async fn channel_edit(&self, params: ChannelEditParams) -> ApiResult<Posted> {
        self.edit_post(params).await
    }

    async fn channel_retract(&self, params: RetractParams) -> ApiResult<Posted> {
        self.retract_post(params).await
    }

    async fn channel_posts(&self, params: PostListParams) -> ApiResult<PostPage> {
        self.posts(params).await
    }

    async fn channel_fetch(&self, params: PostParams) -> ApiResult<Blobs> {
        self.fetch_post(params).await
    }

    async fn channel_mark_read(&self, params: PostParams) -> ApiResult<Done> {
        self.mark_posts_read(params).await
    }

    async fn channel_evidence(&self, channel: ChannelId) -> ApiResult<Page<ChannelEvidence>> {
        self.channel_proofs(channel).await
    }

    async fn channel_verify(&self, params: VerifyParams) -> ApiResult<ChannelEvidence> {
        verify(&params)
    }

    async fn channel_terms(&self, params: TermsParams) -> ApiResult<Channel> {
        self.set_terms(params).await
    }

    async fn channel_digest(&self, channel: ChannelId) -> ApiResult<Page<Post>> {
        self.open_digest(channel).await
    }

    async fn channel_vote(&self, params: ChannelVoteParams) -> ApiResult<Post> {
        self.vote(params).await
    }

    async fn channel_report(&self, params: ReportParams) -> ApiResult<ReportSent> {
        self.report(params).await
    }

    async fn channel_figures(&self, params: ChannelFiguresParams) -> ApiResult<ChannelFigures> {
        self.figures(params).await
    }

    async fn channel_publish_result(&self, params: PostParams) -> ApiResult<Post> {
        self.publish_result(params).await
    }

    async fn channel_writer_key(&self, channel: ChannelId) -> ApiResult<WriterKeyMade> {
        self.writer_key(channel).await
    }

    async fn channel_certify(&self, params: CertifyParams) -> ApiResult<Certified> {
        self.certify(params).await
    }

    async fn channel_use_certificate(&self, params: UseCertificateParams) -> ApiResult<Channel> {
        self.use_certificate(params.certificate).await
    }

    async fn channel_writers(&self, channel: ChannelId) -> ApiResult<Page<ChannelWriter>> {
        self.writers(channel).await
    }

    async fn channel_revoke(&self, params: RevokeParams) -> ApiResult<Done> {
        self.revoke(params).await
    }

    async fn channel_recovery_key(&self, channel: ChannelId) -> ApiResult<RecoveryMade> {
        self.recovery_key(channel).await
    }

    async fn channel_recover(&self, params: RecoverParams) -> ApiResult<Channel> {
        self.recover(params.key).await
    }

    async fn channel_vouch(&self, channel: ChannelId) -> ApiResult<(String, Vec<u8>)> {
        self.vouch(channel).await
    }

    async fn channel_enlist(&self, params: EnlistParams) -> ApiResult<Channel> {
        self.enlist(params).await
    }

    async fn channel_search(&self, params: ChannelSearchParams) -> ApiResult<FoundChannels> {
        self.search_channels(params).await
    }

    async fn channel_prove(&self, channel: ChannelId, domain: String, vouches: Vec<Vec<u8>>) -> ApiResult<Channel> {
        self.prove(channel, domain, vouches).await
    }
}
