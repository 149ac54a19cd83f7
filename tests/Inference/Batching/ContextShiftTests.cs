using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>What happens when the context is full.</summary>
public sealed class ContextShiftTests
{
    private const int Context = 64;

    [Fact]
    public async Task RunAsync_NoShift_EndsWhenTheContextIsFull()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, Request(shift: false, tokens: 300));

        end.Reason.ShouldBe(EndReason.Length);
        (sink.Start!.PromptTokens + sink.Tokens.Length).ShouldBe(Context);
    }

    [Fact]
    public async Task RunAsync_Shift_GoesOnBeyondTheContext()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, Request(shift: true, tokens: 300));

        end.Error.ShouldBeNull();
        end.Reason.ShouldBe(EndReason.Length);
        sink.Tokens.Length.ShouldBe(300);
    }

    [Fact]
    public async Task RunAsync_ShiftWithoutNumber_EndsAfterTenContexts()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, Request(shift: true, tokens: -1));

        end.Reason.ShouldBe(EndReason.Length);
        sink.Tokens.Length.ShouldBe(10 * Context);
    }

    [Fact]
    public async Task RunAsync_ShiftUntilFull_EndsWhenFull()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink sink) = await EngineFixture.RunAsync(loaded.Engine, Request(shift: true, tokens: -2));

        end.Reason.ShouldBe(EndReason.Length);
        (sink.Start!.PromptTokens + sink.Tokens.Length).ShouldBe(Context);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(-1)]
    [InlineData(1000)]
    public async Task RunAsync_ShiftedAndCutAnywhere_GoesOnAsIfUncut(int keep)
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest request = Request(shift: true, tokens: 180);
        request = request with { Options = request.Options with { NumKeep = keep } };
        int[] whole = (await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens;
        whole.Length.ShouldBe(180);
        await using LoadedEngine other = await EngineFixture.LoadAsync();

        for (int cut = 0; cut < whole.Length; cut += 7)
            (await EngineFixture.RunAsync(other.Engine, request with { ResumeTokens = whole[..cut] })).Sink.Tokens.ShouldBe(whole[cut..]);
    }

    [Fact]
    public async Task RunAsync_ShiftedInCompany_SaysWhatItSaysAlone()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest[] requests = [.. Enumerable.Range(0, 4).Select(i => Request(shift: true, tokens: 150) with { Seed = (ulong)i })];
        List<int[]> alone = [];
        foreach (EngineRequest request in requests)
            alone.Add((await EngineFixture.RunAsync(loaded.Engine, request)).Sink.Tokens);

        // They begin alike, so that their memory is shared: none may move what is another's.
        (AttemptEnd End, CollectingSink Sink)[] together = await Task.WhenAll(requests.Select(request => EngineFixture.RunAsync(loaded.Engine, request)));

        for (int i = 0; i < requests.Length; i++)
            together[i].Sink.Tokens.ShouldBe(alone[i]);
    }

    [Fact]
    public async Task RunAsync_NumCtxAboveTheSlots_GetsItWhereThereIsMemory()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { ContextPerSlot = 128 });
        EngineRequest request = EngineFixture.Greedy("hello", -1);

        (AttemptEnd usual, CollectingSink shorter) = await EngineFixture.RunAsync(loaded.Engine, request);
        (AttemptEnd end, CollectingSink longer) = await EngineFixture.RunAsync(
            loaded.Engine, request with { Options = request.Options with { NumCtx = 400 } });

        (usual.Error ?? end.Error).ShouldBeNull();
        (shorter.Start!.PromptTokens + shorter.Tokens.Length).ShouldBe(128);
        (longer.Start!.PromptTokens + longer.Tokens.Length).ShouldBe(400);
    }

    [Fact]
    public async Task RunAsync_NumCtxBeyondMemory_IsInvalidAndNamesBoth()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { Slots = 1, ContextPerSlot = 256 });
        EngineRequest request = EngineFixture.Greedy("hello");

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, request with { Options = request.Options with { NumCtx = 400 } });

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe("num_ctx is 400; there is memory for 256 tokens of context");
    }

    [Fact]
    public async Task RunAsync_SeveralThatWantAllMemory_TakeTurns()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync(options: EngineFixture.Exact with { ContextPerSlot = 128 });
        EngineRequest request = EngineFixture.Sampled("hello", 400);
        request = request with { Options = request.Options with { NumCtx = 512 } };

        (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(i => EngineFixture.RunAsync(loaded.Engine, request with { Seed = (ulong)i })));

        foreach ((AttemptEnd end, CollectingSink sink) in all)
        {
            end.Error.ShouldBeNull();
            sink.Tokens.Length.ShouldBe(400);
        }
    }

    private static EngineRequest Request(bool shift, int tokens)
    {
        EngineRequest request = EngineFixture.Sampled("one two three", tokens);
        return request with { Options = request.Options with { NumCtx = Context, Shift = shift } };
    }
}
