using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Tests.Native;

public sealed class SamplerTests : IDisposable
{
    private static readonly InferenceOptions s_plain = new() { Temperature = 1, TopK = 0, TopP = 1, RepeatPenalty = 1 };

    private readonly INativeModel _model = TestModels.Load(TestModels.Tiny);

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Sample_SameSeedAndPosition_SameTokenInAnyOrder()
    {
        using INativeSampler forwards = Sampler(s_plain), backwards = Sampler(s_plain);
        float[] logits = Logits(static token => token % 7);

        int[] first = [.. Enumerable.Range(0, 50).Select(position => forwards.Sample(logits, position))];
        int[] second = [.. Enumerable.Range(0, 50).Reverse().Select(position => backwards.Sample(logits, position)).Reverse()];

        second.ShouldBe(first);
        first.Distinct().Count().ShouldBeGreaterThan(20);
    }

    [Fact]
    public void Sample_ManyPositions_FollowsTheProbabilities()
    {
        using INativeSampler sampler = Sampler(s_plain);
        float[] logits = Logits(static token => token switch { 10 => MathF.Log(0.5f), 20 => MathF.Log(0.3f), 30 => MathF.Log(0.2f), _ => float.NegativeInfinity });

        int[] counts = new int[512];
        for (int position = 0; position < 20_000; position++)
            counts[sampler.Sample(logits, position)]++;

        (counts[10] / 20_000.0).ShouldBe(0.5, 0.015);
        (counts[20] / 20_000.0).ShouldBe(0.3, 0.015);
        (counts[30] / 20_000.0).ShouldBe(0.2, 0.015);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    public void Sample_NoTemperature_TakesTheLikeliest(float temperature)
    {
        using INativeSampler sampler = Sampler(s_plain with { Temperature = temperature });

        sampler.Sample(Logits(static token => token == 77 ? 1.001f : 1), 0).ShouldBe(77);
    }

    [Fact]
    public void Sample_TopK_LeavesSoMany()
    {
        using INativeSampler sampler = Sampler(s_plain with { TopK = 3 });
        float[] logits = Logits(static token => -token * 0.001f);

        Enumerable.Range(0, 500).Select(position => sampler.Sample(logits, position)).Distinct().Order().ShouldBe([0, 1, 2]);
    }

    [Fact]
    public void Sample_TopPAndMinP_LeaveTheLikely()
    {
        float[] logits = Logits(static token => token == 5 ? 10 : token == 6 ? 9 : 0);
        using INativeSampler topP = Sampler(s_plain with { TopP = 0.5f }), minP = Sampler(s_plain with { MinP = 0.2f });

        Enumerable.Range(0, 300).Select(position => topP.Sample(logits, position)).Distinct().ShouldBe([5]);
        Enumerable.Range(0, 300).Select(position => minP.Sample(logits, position)).Distinct().Order().ShouldBe([5, 6]);
    }

    [Fact]
    public void Sample_RepeatPenalty_PutsSeenTokensBack()
    {
        using INativeSampler sampler = Sampler(s_plain with { Temperature = 0, RepeatPenalty = 2, RepeatLastN = 2 });
        float[] logits = Logits(static token => token switch { 5 => 10, 6 => 8, _ => 0 });

        sampler.Sample(logits, 0).ShouldBe(5);
        sampler.Accept(5, isAnswer: true);
        sampler.Sample(logits, 1).ShouldBe(6);
        sampler.Accept(100, isAnswer: true);
        sampler.Accept(101, isAnswer: true);
        // Two tokens later it has left the window.
        sampler.Sample(logits, 2).ShouldBe(5);
    }

    [Fact]
    public void Sample_PresenceAndFrequency_TakeOff()
    {
        using INativeSampler presence = Sampler(s_plain with { Temperature = 0, PresencePenalty = 3 });
        using INativeSampler frequency = Sampler(s_plain with { Temperature = 0, FrequencyPenalty = 1.5f });
        float[] logits = Logits(static token => token switch { 5 => 10, 6 => 8, _ => 0 });

        presence.Accept(5, isAnswer: true);
        frequency.Accept(5, isAnswer: true);

        presence.Sample(logits, 1).ShouldBe(6);
        frequency.Sample(logits, 1).ShouldBe(5);
        frequency.Accept(5, isAnswer: true);
        frequency.Sample(logits, 2).ShouldBe(6);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Sample_LogitsThatAreNoNumbers_Throw(float broken)
    {
        using INativeSampler sampler = Sampler(s_plain);

        Should.Throw<NativeException>(() => sampler.Sample(Logits(token => token == 3 ? broken : 0), 0)).Message.ShouldContain("token 3");
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Sample_NothingPossible_Throws(float temperature)
    {
        using INativeSampler sampler = Sampler(s_plain with { Temperature = temperature });

        Should.Throw<NativeException>(() => sampler.Sample(Logits(static _ => float.NegativeInfinity), 0));
    }

    [Fact]
    public void Members_WrongArguments_Throw()
    {
        using INativeSampler sampler = Sampler(s_plain with { RepeatPenalty = 1.1f });

        Should.Throw<ArgumentOutOfRangeException>(() => sampler.Accept(-1, isAnswer: true));
        Should.Throw<ArgumentOutOfRangeException>(() => sampler.Accept(512, isAnswer: true));
        Should.Throw<ArgumentOutOfRangeException>(() => sampler.Sample(new float[511], 0));
        Should.Throw<ArgumentOutOfRangeException>(() => sampler.Sample(new float[512], -1));
        Should.Throw<ArgumentOutOfRangeException>(() => Sampler(s_plain with { Temperature = float.NaN }));
    }

    [Fact]
    public void Uniform_NeighbouringSeedsAndPositions_AreUnrelated()
    {
        double[] values = [.. Enumerable.Range(0, 100).SelectMany(static seed => Enumerable.Range(0, 100).Select(position => SeededDraw.Uniform((ulong)seed, position)))];

        values.ShouldAllBe(static value => value >= 0 && value < 1);
        values.Distinct().Count().ShouldBe(values.Length);
        values.Average().ShouldBe(0.5, 0.01);
    }

    private INativeSampler Sampler(InferenceOptions options) => _model.CreateSampler(new SamplerConfig(options, 42, 512));

    private static float[] Logits(Func<int, float> logit) => [.. Enumerable.Range(0, 512).Select(logit)];
}
