using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class CancellationTests
{
    [Fact]
    public async Task Cancel_Running_EndsWithinOneStep()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        using CancellationTokenSource cancel = new();
        long cancelledAt = 0;
        CollectingSink sink = new()
        {
            OnToken = index =>
            {
                if (index == 9)
                {
                    cancel.Cancel();
                    cancelledAt = loaded.Engine.Steps;
                }
            },
        };

        AttemptEnd end = await loaded.Engine.RunAsync(EngineFixture.Greedy("hello", -1), sink, cancel.Token);

        end.Reason.ShouldBe(EndReason.Cancelled);
        sink.Tokens.Length.ShouldBe(10);
        loaded.Engine.Steps.ShouldBe(cancelledAt);
    }

    [Fact]
    public async Task Cancel_OneOfAFullHouse_LetsTheNextIn()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { Slots = 1 });
        using CancellationTokenSource cancel = new();
        CollectingSink first = new() { StandsAt = 3 }, second = new();
        Task<AttemptEnd> running = loaded.Engine.RunAsync(EngineFixture.Greedy("hello", -1), first, cancel.Token).AsTask();
        await first.WaitForAsync(3);
        Task<AttemptEnd> waiting = loaded.Engine.RunAsync(EngineFixture.Greedy("hello", 5), second, TestContext.Current.CancellationToken).AsTask();

        await cancel.CancelAsync();
        first.GoOn();

        (await running).Reason.ShouldBe(EndReason.Cancelled);
        (await waiting).Reason.ShouldBe(EndReason.Length);
        second.Tokens.ShouldBe(first.Tokens[..Math.Min(5, first.Tokens.Length)].Concat(second.Tokens.Skip(first.Tokens.Length)));
    }

    [Fact]
    public async Task Cancel_Waiting_EndsWithoutASlot()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { Slots = 1 });
        using CancellationTokenSource cancel = new(), end = new();
        CollectingSink first = new() { StandsAt = 1 }, second = new();
        Task<AttemptEnd> running = loaded.Engine.RunAsync(EngineFixture.Greedy("hello", -1), first, end.Token).AsTask();
        await first.WaitForAsync(1);
        Task<AttemptEnd> waiting = loaded.Engine.RunAsync(EngineFixture.Greedy("hello", 5), second, cancel.Token).AsTask();

        await cancel.CancelAsync();
        first.GoOn();

        (await waiting).Reason.ShouldBe(EndReason.Cancelled);
        second.Tokens.ShouldBeEmpty();
        await end.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Cancel_BeforeTheCall_EndsAtOnce()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        AttemptEnd end = await loaded.Engine.RunAsync(EngineFixture.Greedy("hello"), new CollectingSink(), new CancellationToken(canceled: true));

        end.Reason.ShouldBe(EndReason.Cancelled);
    }

    [Fact]
    public async Task Dispose_WithJobsRunningAndWaiting_HandsThemBack()
    {
        LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { Slots = 2 });
        CollectingSink[] sinks = [.. Enumerable.Range(0, 4).Select(static _ => new CollectingSink { StandsAt = 2 })];
        Task<AttemptEnd>[] jobs = [.. sinks.Select(sink => loaded.Engine.RunAsync(EngineFixture.Greedy("hello", 400), sink, TestContext.Current.CancellationToken).AsTask())];
        await Task.WhenAny(sinks.Select(static sink => sink.WaitForAsync(2)));

        Task disposed = loaded.DisposeAsync().AsTask();
        Array.ForEach(sinks, static sink => sink.GoOn());
        await disposed;

        foreach (AttemptEnd end in await Task.WhenAll(jobs))
            end.Reason.ShouldBe(EndReason.HandedBack);
    }

    [Fact]
    public async Task RunAsync_AfterDispose_IsHandedBack()
    {
        LoadedEngine loaded = await EngineFixture.LoadAsync();
        await loaded.DisposeAsync();
        await loaded.DisposeAsync();

        (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello"))).End.Reason.ShouldBe(EndReason.HandedBack);
    }
}
