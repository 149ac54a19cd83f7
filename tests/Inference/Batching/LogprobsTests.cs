using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class LogprobsTests
{
    [Fact]
    public async Task RunAsync_Asked_EachTokenComesWithTheModelsOwnProbabilities()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();
        EngineRequest greedy = With(EngineFixture.Greedy("hello"), 20), sampled = With(EngineFixture.Sampled("hello"), 20);

        CollectingSink first = (await EngineFixture.RunAsync(loaded.Engine, greedy)).Sink, second = (await EngineFixture.RunAsync(loaded.Engine, sampled)).Sink;

        first.Logprobs.Length.ShouldBe(24);
        // Before the first token both have read the same, and neither temperature nor filters change what the model thinks.
        // But the second has its prompt from the first one's memory: a batch of another shape, and so another last bit.
        second.Logprobs[0].Top.Select(static top => top.Token).ShouldBe(first.Logprobs[0].Top.Select(static top => top.Token));
        second.Logprobs[0].Top.Select(static top => top.Logprob).ShouldBe(first.Logprobs[0].Top.Select(static top => top.Logprob), 1e-5);
        foreach ((TokenLogprobs said, int token) in first.Logprobs.Zip(first.Tokens))
        {
            said.Top.Count.ShouldBe(20);
            said.Top.Select(static top => top.Logprob).ShouldBeInOrder(SortDirection.Descending);
            said.Top.Sum(static top => Math.Exp(top.Logprob)).ShouldBeLessThanOrEqualTo(1.00001);
            said.Top.FirstOrDefault(top => top.Token == token)?.Logprob.ShouldBe(said.Logprob);
        }
    }

    [Fact]
    public async Task RunAsync_AskedForNoneBeside_OnlyTheTokensOwnComes()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        CollectingSink sink = (await EngineFixture.RunAsync(loaded.Engine, With(EngineFixture.Greedy("hello"), 0))).Sink;

        sink.Logprobs.ShouldAllBe(static said => said.Top.Count == 0 && said.Logprob < 0);
        sink.Logprobs.Length.ShouldBe(24);
    }

    [Fact]
    public async Task RunAsync_NotAsked_NothingIsComputed()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (await EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy("hello"))).Sink.Logprobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task RunAsync_TooMany_IsInvalid()
    {
        await using LoadedEngine loaded = await EngineFixture.LoadAsync();

        (AttemptEnd end, CollectingSink _) = await EngineFixture.RunAsync(loaded.Engine, With(EngineFixture.Greedy("hello"), 21));

        end.Reason.ShouldBe(EndReason.Invalid);
        end.Error.ShouldBe("top_logprobs is 21; it must be from 0 to 20");
    }

    private static EngineRequest With(EngineRequest request, int top) => request with { Options = request.Options with { TopLogprobs = top } };
}
