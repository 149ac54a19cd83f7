using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Edge.Webhooks;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Storage;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Webhooks;

public sealed class WebhookTests(AzuriteFixture azurite)
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The example of the specification.</summary>
    [Fact]
    public void Sign_KnownText_IsTheKnownSignature() =>
        WebhookSender.Sign(new WebhookOptions { Secret = Secret }.SecretBytes, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, """{"test": 2432232314}"""u8)
            .ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Fact]
    public async Task Tell_ReceiverThatFailsTwice_GetsItAgainUnderTheSameIdSignedAnew()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        receiver.Statuses.Enqueue(500);
        receiver.Statuses.Enqueue(302);
        WatchedTimeProvider time = new();
        using OperatorNotices notices = await StartAsync(time, receiver.Url);

        notices.Tell(NoticeTypes.Poison, "job-1", "it was set aside");
        var first = await receiver.NextAsync(Cancellation);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1), Cancellation);
        time.Advance(TimeSpan.FromSeconds(1));
        var second = await receiver.NextAsync(Cancellation);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(2), Cancellation);
        time.Advance(TimeSpan.FromSeconds(2));
        var third = await receiver.NextAsync(Cancellation);
        notices.Tell(NoticeTypes.Poison, "job-2", "another one");
        var next = await receiver.NextAsync(Cancellation);

        (second.Id, third.Id).ShouldBe((first.Id, first.Id));
        (second.Timestamp - first.Timestamp, third.Timestamp - second.Timestamp).ShouldBe((1, 2));
        next.Id.ShouldNotBe(first.Id);
        foreach (var (id, timestamp, signature, body) in new[] { first, second, third, next })
            signature.ShouldBe(WebhookSender.Sign(new WebhookOptions { Secret = Secret }.SecretBytes, id, timestamp, body));
        JsonElement told = JsonElement.Parse(Encoding.UTF8.GetString(first.Body));
        told.GetProperty("type").GetString().ShouldBe("job.poison");
        told.GetProperty("subject").GetString().ShouldBe("job-1");
        told.GetProperty("text").GetString().ShouldBe("it was set aside");
        await notices.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Tell_TheSameAgain_IsToldAfterAWhileOnly()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        WatchedTimeProvider time = new();
        using OperatorNotices notices = await StartAsync(time, receiver.Url);

        for (int i = 0; i < 3; i++)
            notices.Tell(NoticeTypes.Quota, "key", $"{i}");
        notices.Tell(NoticeTypes.NoWorker, "key", "of another type");
        time.Advance(TimeSpan.FromHours(1));
        notices.Tell(NoticeTypes.Quota, "key", "an hour later");

        string[] told = [await TextAsync(receiver), await TextAsync(receiver), await TextAsync(receiver)];
        told.ShouldBe(["0", "of another type", "an hour later"]);
        receiver.HasMore.ShouldBeFalse();
        await notices.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Tell_OneAddressFails_TheOtherIsToldAndTheFirstIsGivenUpInTheEnd()
    {
        await using WebhookReceiver dead = await WebhookReceiver.StartAsync(Cancellation);
        await using WebhookReceiver alive = await WebhookReceiver.StartAsync(Cancellation);
        foreach (int status in (int[])[500, 500])
            dead.Statuses.Enqueue(status);
        WatchedTimeProvider time = new();
        using OperatorNotices notices = await StartAsync(time, dead.Url, alive.Url);

        notices.Tell(NoticeTypes.Quota, "one", "one");
        notices.Tell(NoticeTypes.Quota, "two", "two");

        (await TextAsync(alive), await TextAsync(alive)).ShouldBe(("one", "two"));
        (await TextAsync(dead)).ShouldBe("one");
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1), Cancellation);
        time.Advance(TimeSpan.FromSeconds(1));
        (await TextAsync(dead), await TextAsync(dead)).ShouldBe(("one", "two"), "after two tries, as the option says, the next");
        await notices.StopAsync(Cancellation);
    }

    /// <summary>It ends between two tries; who leads finds what it has left, and tells it under the same id.</summary>
    [Fact]
    public async Task Stop_WithSomethingNotTold_AnotherEdgeTellsIt()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        receiver.Statuses.Enqueue(500);
        StorageAccount account = new(azurite.NewAccount());
        WatchedTimeProvider time = new();
        using OperatorNotices first = await StartAsync(account, time, receiver.Url);
        first.Tell(NoticeTypes.Poison, "job-1", "it was set aside");
        first.Tell(NoticeTypes.Poison, "job-2", "behind it");
        var tried = await receiver.NextAsync(Cancellation);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1), Cancellation);
        await WaitingAsync(account, 2);

        await first.StopAsync(Cancellation);
        using OperatorNotices second = await StartAsync(account, TimeProvider.System, receiver.Url);
        await new LeftNotices(Outbox(account, TimeProvider.System), second).ReconcileAsync(Term, Cancellation);
        // In whichever order they were left.
        var told = new[] { await receiver.NextAsync(Cancellation), await receiver.NextAsync(Cancellation) };

        told.Single(one => one.Id == tried.Id).Body.ShouldBe(tried.Body);
        told.Select(one => JsonElement.Parse(Encoding.UTF8.GetString(one.Body)).GetProperty("subject").GetString()).ShouldBe(["job-1", "job-2"], ignoreOrder: true);
        await WaitingAsync(account, 0);
        await second.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Left_ForAnAddressThatIsNoMoreOrUnreadable_IsDeleted()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        StorageAccount account = new(azurite.NewAccount());
        NoticeOutbox outbox = Outbox(account, TimeProvider.System);
        Notice notice = new("notice_1", NoticeTypes.Quota, DateTime.UnixEpoch, "key", "text", "edge");
        await outbox.LeaveAsync(await outbox.KeepAsync(NoticeOutbox.TargetOf("https://gone.example"), notice, Cancellation));
        await account.Queues.GetQueueClient(NoticeQueue.Name).SendMessageAsync("{}", Cancellation);
        using OperatorNotices notices = await StartAsync(account, TimeProvider.System, receiver.Url);

        await new LeftNotices(outbox, notices).ReconcileAsync(Term, Cancellation);

        await WaitingAsync(account, 0);
        receiver.HasMore.ShouldBeFalse();
        await notices.StopAsync(Cancellation);
    }

    [Fact]
    public async Task Quota_OfAKeyIsReached_OperatorsAreTold()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        await using EdgeServer edge = await SecuredEdge.StartAsync(
            azurite,
            more: services => services.Configure<WebhookOptions>(options =>
            {
                options.Urls.Add(receiver.Url);
                options.Secret = Secret;
            }));
        (string id, string key) = await edge.CreateKeyAsync(new { name = "none", tenant = "acme", limits = new { requests_per_minute = 0 } });

        using HttpResponseMessage refused = await edge.PostAsync("/api/chat", key, new { model = "demo", messages = new[] { new { role = "user", content = "x" } } });

        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        JsonElement told = JsonElement.Parse(Encoding.UTF8.GetString((await receiver.NextAsync(Cancellation)).Body));
        told.GetProperty("type").GetString().ShouldBe("quota.exceeded");
        told.GetProperty("subject").GetString().ShouldBe(id);
        told.GetProperty("text").GetString().ShouldBe("none of acme was refused: 0 requests per minute");
    }

    [Fact]
    public async Task JobsWait_ForAModelThatNobodyServesAtTwoLooks_OperatorsAreTold()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync(Cancellation);
        using OperatorNotices notices = await StartAsync(TimeProvider.System, receiver.Url);
        JobQueues queues = new(new StorageAccount(azurite.NewAccount()), TimeProvider.System);
        FixedModels models = new();
        foreach (string name in (string[])["demo", "plain", "embed"])
            models.Remove(name);
        string[] names = ["served", "lonely"];
        string[] weights = [.. "ab".Select(digit => $"sha256:{new string(digit, 64)}")];
        foreach (var (name, digest) in names.Zip(weights))
        {
            models.Add(FixedModels.Able with { Name = ModelName.Parse(name), Weights = digest });
            await queues.EnqueueAsync(new QueuedJob(ProtocolVersion.Current, "a job", digest, Band.Batch, Reply: null), TimeSpan.FromMinutes(5), Cancellation);
        }
        models.Unserved.Add("lonely");
        QueueNotices reconciler = new(models, queues, notices);
        await reconciler.ReconcileAsync(Term, Cancellation);
        models.Unserved.Clear();
        await reconciler.ReconcileAsync(Term, Cancellation);
        models.Unserved.Add("lonely");
        await reconciler.ReconcileAsync(Term, Cancellation);
        notices.Tell(NoticeTypes.Quota, "marks the place", "until here nothing was told");
        await reconciler.ReconcileAsync(Term, Cancellation);

        (await TextAsync(receiver)).ShouldBe("until here nothing was told");
        (await TextAsync(receiver)).ShouldStartWith("1 jobs wait for lonely");
        await notices.StopAsync(Cancellation);
    }

    [Theory]
    [InlineData("ftp://example.org", Secret, "no http(s) address")]
    [InlineData("https://example.org", null, "24 bytes")]
    [InlineData("https://example.org", "whsec_AAAA", "24 bytes")]
    [InlineData("https://example.org", "not base64", "24 bytes")]
    public void Options_ThatCannotBe_AreSaid(string url, string? secret, string error)
    {
        WebhookOptions options = new() { Urls = { url }, Secret = secret };

        options.Validate(new ValidationContext(options)).ShouldHaveSingleItem().ErrorMessage.ShouldNotBeNull().ShouldContain(error);
    }

    private static LeaderTerm Term => new(1, "edge", DateTimeOffset.UnixEpoch);

    private static NoticeOutbox Outbox(StorageAccount account, TimeProvider time) => new(new NoticeQueue(account, time), time, NullLogger<NoticeOutbox>.Instance);

    /// <summary>Until so many are in storage, hidden ones counted in.</summary>
    private static async Task WaitingAsync(StorageAccount account, int count)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(20));
        while ((await account.Queues.GetQueueClient(NoticeQueue.Name).GetPropertiesAsync(Cancellation)).Value.ApproximateMessagesCount != count)
            await timer.WaitForNextTickAsync(Cancellation);
    }

    private Task<OperatorNotices> StartAsync(TimeProvider time, params string[] urls) => StartAsync(new StorageAccount(azurite.NewAccount()), time, urls);

    private static async Task<OperatorNotices> StartAsync(StorageAccount account, TimeProvider time, params string[] urls)
    {
        WebhookOptions options = new() { Secret = Secret, Tries = 2 + (urls.Length == 1 ? 1 : 0) };
        foreach (string url in urls)
            options.Urls.Add(url);
        IOptions<WebhookOptions> wrapped = Options.Create(options);
        OperatorNotices notices = new(wrapped, new EdgeIdentity(), new WebhookSender(wrapped, time), Outbox(account, time), time, NullLogger<OperatorNotices>.Instance);
        await notices.StartAsync(Cancellation);
        return notices;
    }

    private static async Task<string> TextAsync(WebhookReceiver receiver) =>
        JsonElement.Parse(Encoding.UTF8.GetString((await receiver.NextAsync(Cancellation)).Body)).GetProperty("text").GetString()!;
}
