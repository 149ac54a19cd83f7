using System.Text;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Batching;

/// <summary>
/// Equal answers prove something only where another answer was near: the tests look at how far the best token was from the next one, and that
/// this is far more than what computing in another order changes.
/// </summary>
public sealed class ExactnessTests
{
    private const float Noise = 1e-4f;

    [Theory]
    [InlineData(GgufArchitecture.Llama)]
    [InlineData(GgufArchitecture.Qwen2)]
    [InlineData(GgufArchitecture.Gemma3)]
    [InlineData(GgufArchitecture.Mamba)]
    [InlineData(GgufArchitecture.Lfm2)]
    public async Task RunAsync_GreedyInAnyCompany_IsWhatTheModelSaysTokenByToken(GgufArchitecture architecture)
    {
        GgufSpec spec = new() { Architecture = architecture };
        string[] prompts = ["hello", EngineFixture.LongPrompt(50), EngineFixture.LongPrompt(50) + " and then", "caf\u00e9 \u65e5\u672c \U0001F600 na\u00efve"];
        List<int[]> expected = [.. prompts.Select(prompt => Reference(spec, prompt, 24))];

        foreach (int batchSize in (int[])[4, 7, 64])
        {
            await using LoadedEngine loaded = await EngineFixture.LoadAsync(spec, EngineFixture.Exact with { BatchSize = batchSize });
            (AttemptEnd End, CollectingSink Sink)[] all = await Task.WhenAll(prompts.Select(prompt => EngineFixture.RunAsync(loaded.Engine, EngineFixture.Greedy(prompt))));

            for (int i = 0; i < prompts.Length; i++)
                all[i].Sink.Tokens.ShouldBe(expected[i]);
        }
    }

    // One token at a time, nothing batched, nothing shared.
    private static int[] Reference(GgufSpec spec, string prompt, int count)
    {
        using INativeModel model = TestModels.Load(spec);
        using INativeContext context = model.CreateContext(new ContextConfig
        {
            Capacity = 512, Sequences = 1, BatchSize = 1, Threads = 1, KeyType = CacheType.F32, ValueType = CacheType.F32, FlashAttention = FlashAttention.Off,
        });
        using INativeSampler sampler = model.CreateSampler(new SamplerConfig(EngineFixture.Greedy(prompt).Options, 7, 512));
        List<int> tokens = [.. model.Tokenize(Encoding.UTF8.GetBytes(prompt), addSpecial: true, parseSpecial: true)];
        int promptTokens = tokens.Count;
        tokens.ForEach(token => sampler.Accept(token, isAnswer: false));
        DecodeBatch batch = new(1);
        for (int i = 0; tokens.Count < promptTokens + count; i++)
        {
            batch.Clear();
            batch.Add(tokens[i], i, 0, output: true);
            context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
            if (i + 1 < tokens.Count)
                continue;
            float[] best = [.. context.Logits(0).ToArray().OrderDescending().Take(2)];
            (best[0] - best[1]).ShouldBeGreaterThan(Noise, "the test's prompt is on the edge between two tokens");
            tokens.Add(sampler.Sample(context.Logits(0), i + 1 - promptTokens));
            sampler.Accept(tokens[^1], isAnswer: true);
        }
        return [.. tokens[promptTokens..]];
    }
}
