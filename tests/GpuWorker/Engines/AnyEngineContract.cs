using OllamaMax.Inference.Tests.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Engines;

/// <summary>What every engine promises, whatever it runs models with.</summary>
public abstract class AnyEngineContract
{
    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>num_predict of an answer that does not end before somebody ends it.</summary>
    protected virtual int Endless => 400;

    [Fact]
    public async Task RunAsync_MoreThanSlots_AllAreAnswered()
    {
        await using IInferenceEngine engine = await StartAsync();
        var (_, alone) = await RunAsync(engine, Request("hello"));

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(Enumerable.Range(0, 9).Select(_ => RunAsync(engine, Request("hello"))));

        all.ShouldAllBe(one => one.End.Reason == EndReason.Length);
        all.ShouldAllBe(one => one.Sink.Tokens.SequenceEqual(alone.Tokens));
    }

    [Fact]
    public async Task RunAsync_CancelledWhileRunning_EndsAndFreesTheSlot()
    {
        await using IInferenceEngine engine = await StartAsync(slots: 1);
        using var cancel = new CancellationTokenSource();
        var sink = new CollectingSink { OnToken = index => CancelAt(index, 5, cancel) };

        AttemptEnd end = await engine.RunAsync(Request("hello", tokens: -1), sink, cancel.Token);

        end.Reason.ShouldBe(EndReason.Cancelled);
        sink.Tokens.Length.ShouldBeLessThan(500);
        (await RunAsync(engine, Request("hello"))).End.Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public async Task RunAsync_CancelledBefore_EndsAtOnce()
    {
        await using IInferenceEngine engine = await StartAsync();

        AttemptEnd end = await engine.RunAsync(Request("hello"), new CollectingSink(), new CancellationToken(canceled: true));

        end.Reason.ShouldBe(EndReason.Cancelled);
    }

    [Fact]
    public async Task RunAsync_SinkThatThrows_FailsItsJobAlone()
    {
        await using IInferenceEngine engine = await StartAsync();
        CollectingSink broken = new() { OnToken = static _ => throw new InvalidOperationException("the sink is broken") };

        Task<AttemptEnd> failing = engine.RunAsync(Request("hello", 50), broken, Cancellation).AsTask();
        var (other, _) = await RunAsync(engine, Request("hello", 50));

        (await failing).Reason.ShouldBe(EndReason.Failed);
        (await failing).Error.ShouldBe("the sink is broken");
        other.Reason.ShouldBe(EndReason.Length);
    }

    [Fact]
    public async Task DisposeAsync_WithJobs_HandsThemBack()
    {
        IInferenceEngine engine = await StartAsync();
        CollectingSink sink = new();
        Task<AttemptEnd> job = engine.RunAsync(Request("hello", Endless), sink, Cancellation).AsTask();
        await sink.WaitForAsync(2);

        await engine.DisposeAsync();
        await engine.DisposeAsync();

        (await job).Reason.ShouldBe(EndReason.HandedBack);
        (await RunAsync(engine, Request("hello"))).End.Reason.ShouldBe(EndReason.HandedBack);
        engine.Broken.IsCompleted.ShouldBeFalse();
    }

    internal abstract Task<IInferenceEngine> StartAsync(int slots = 4);

    /// <param name="prompt">What to answer.</param>
    /// <param name="tokens">num_predict.</param>
    internal abstract EngineRequest Request(string prompt, int tokens = 24);

    internal static async Task<(AttemptEnd End, CollectingSink Sink)> RunAsync(IInferenceEngine engine, EngineRequest request)
    {
        CollectingSink sink = new();
        AttemptEnd end = await engine.RunAsync(request, sink, Cancellation);
        return (end, sink);
    }

    private static void CancelAt(int index, int at, CancellationTokenSource cancel)
    {
        if (index == at)
            cancel.Cancel();
    }
}
