using System.Text;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.Grammars;
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

    [Fact]
    public void Sample_TypicalP_LeavesTheExpected()
    {
        // The likeliest says less than is to be expected here, the unlikeliest much more.
        float[] logits = Logits(static token => token switch { 0 => MathF.Log(0.47f), >= 1 and <= 4 => MathF.Log(0.13f), 5 => MathF.Log(0.01f), _ => float.NegativeInfinity });
        using INativeSampler sampler = Sampler(s_plain with { TypicalP = 0.5f });

        int[] drawn = [.. Enumerable.Range(0, 500).Select(position => sampler.Sample(logits, position)).Distinct().Order()];

        drawn.ShouldNotContain(5);
        drawn.Length.ShouldBeLessThan(5);
    }

    [Fact]
    public void Sample_TypicalPWithHopelessTokens_IsNotConfused()
    {
        // Their probability is 0 in single precision, times its logarithm NaN.
        float[] logits = Logits(static token => token switch { < 4 => 0, _ => -500 });
        using INativeSampler all = Sampler(s_plain with { TypicalP = 0.9f }), top = Sampler(s_plain with { TypicalP = 0.9f, TopK = 10, Temperature = 2 });

        Enumerable.Range(0, 300).Select(position => all.Sample(logits, position)).Distinct().Order().ShouldBe([0, 1, 2, 3]);
        Enumerable.Range(0, 300).Select(position => top.Sample(logits, position)).Distinct().Order().ShouldBe([0, 1, 2, 3]);
    }

    [Fact]
    public void Sample_LogitBias_IsAddedFirstAndForbids()
    {
        float[] logits = Logits(static token => token switch { 5 => 10, 6 => 8, 7 => 6, _ => 0 });
        InferenceOptions greedy = s_plain with { Temperature = 0 };
        using INativeSampler forbidden = Sampler(greedy with { LogitBias = new Dictionary<int, float> { [5] = -100, [6] = -100.5f } });
        using INativeSampler lifted = Sampler(greedy with { LogitBias = new Dictionary<int, float> { [7] = 4.5f } });
        using INativeSampler only = Sampler(s_plain with { TopK = 1, LogitBias = new Dictionary<int, float> { [300] = 100 } });

        forbidden.Sample(logits, 0).ShouldBe(7);
        lifted.Sample(logits, 0).ShouldBe(7);
        only.Sample(logits, 0).ShouldBe(300);
        // Others read the same memory.
        logits[5].ShouldBe(10);
    }

    [Theory]
    [InlineData(1, 1f)]
    [InlineData(1, 2f)]
    [InlineData(2, 1f)]
    [InlineData(2, 2f)]
    public void Sample_Mirostat_IsThePapersAndKeepsSurpriseAtItsTarget(int version, float tau)
    {
        const float temperature = 0.8f;
        using INativeSampler sampler = Sampler(s_plain with { Temperature = temperature, Mirostat = version, MirostatTau = tau, MirostatEta = 0.05f });
        double mu = 2 * tau, surprises = 0;
        for (int position = 0; position < 2000; position++)
        {
            // Distributions that change, as those of a text do.
            float[] logits = Logits(token => -(1 + (0.3f * (position % 5))) * MathF.Log(((token * 7) % 512) + 1));

            int token = sampler.Sample(logits, position);

            Candidate[] kept = MirostatCut(version, mu, [.. logits.Select(logit => logit / temperature)]);
            token.ShouldBe(SeededDraw.Pick(kept, SeededDraw.Uniform(42, position)));
            double surprise = -Math.Log2(Math.Exp(kept.Single(one => one.Token == token).Logit) / kept.Sum(static one => Math.Exp(one.Logit)));
            mu -= 0.05f * (surprise - tau);
            surprises += surprise / 2000;
        }
        surprises.ShouldBe(tau, 0.25);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Sample_MirostatAnew_DrawsTheSame(int version)
    {
        float[] logits = Logits(static token => -MathF.Log(token + 1));
        InferenceOptions options = s_plain with { Mirostat = version };
        using INativeSampler first = Sampler(options), second = Sampler(options);

        Enumerable.Range(0, 50).Select(position => first.Sample(logits, position)).ToArray()
            .ShouldBe(Enumerable.Range(0, 50).Select(position => second.Sample(logits, position)).ToArray());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Sample_MirostatWithOneTokenPossible_TakesIt(int version)
    {
        using INativeSampler sampler = Sampler(s_plain with { Mirostat = version, MirostatTau = 0 });

        for (int position = 0; position < 20; position++)
            sampler.Sample(Logits(static token => token == 9 ? 1 : float.NegativeInfinity), position).ShouldBe(9);
    }

    [Fact]
    public void Sample_Grammar_FollowsTheModelsProbabilitiesAmongWhatIsAllowed()
    {
        Grammar grammar = Grammar.TryParse("root ::= [abc]", out _)!;
        int a = Token("a"), b = Token("b"), c = Token("c"), x = Token("x");
        float[] logits = Logits(token => token == a ? MathF.Log(0.1f) : token == b ? MathF.Log(0.3f) : token == x ? MathF.Log(0.6f) : float.NegativeInfinity);
        using INativeSampler sampler = _model.CreateSampler(new SamplerConfig(s_plain, 42, 512) { Grammar = grammar });

        int[] drawn = [.. Enumerable.Range(0, 20_000).Select(position => sampler.Sample(logits, position))];

        // What was refused has no say in what comes instead: one to three, as without it.
        drawn.Distinct().Order().ShouldBe(new[] { a, b }.Order());
        (drawn.Count(token => token == a) / 20_000.0).ShouldBe(0.25, 0.015);
        sampler.Accept(c, isAnswer: true).ShouldBeTrue();
        sampler.Accept(c, isAnswer: true).ShouldBeFalse();
        sampler.Accept(c, isAnswer: false).ShouldBeTrue();
    }

    [Theory]
    [InlineData(40)]
    [InlineData(5)]
    [InlineData(511)]
    public void Sample_GrammarWithTopK_IsTheTopOfWhatIsAllowed(int topK)
    {
        InferenceOptions options = s_plain with { TopK = topK };
        float[] logits = Logits(static token => MathF.Sin(token * 12.9898f) * 3);
        foreach (string gbnf in new[] { "root ::= [a-z ]+", "root ::= [q-t]", "root ::= [^a]+" })
        {
            using INativeSampler sampler = _model.CreateSampler(new SamplerConfig(options, 42, 512) { Grammar = Grammar.TryParse(gbnf, out _) });
            float[] masked = [.. logits];
            for (int token = 0; token < masked.Length; token++)
            {
                using INativeSampler fresh = _model.CreateSampler(new SamplerConfig(options, 42, 512) { Grammar = Grammar.TryParse(gbnf, out _) });
                if (!fresh.Accept(token, isAnswer: true))
                    masked[token] = float.NegativeInfinity;
            }
            int[] top = [.. Enumerable.Range(0, masked.Length).Where(token => masked[token] > float.NegativeInfinity).OrderByDescending(token => masked[token]).Take(topK)];

            int[] drawn = [.. Enumerable.Range(0, 400).Select(position => sampler.Sample(logits, position)).Distinct()];

            drawn.ShouldBeSubsetOf(top);
        }
    }

    [Fact]
    public void Sample_ManyTokens_AllocatesNothing()
    {
        InferenceOptions[] options =
        [
            new() { Temperature = 0 }, new(), new() { TopK = 0, TypicalP = 0.9f, MinP = 0.01f }, new() { Mirostat = 1 }, new() { Mirostat = 2 },
            new() { LogitBias = new Dictionary<int, float> { [3] = 1 } },
        ];
        float[] logits = Logits(static token => -token * 0.01f);
        foreach (InferenceOptions one in options)
        {
            using INativeSampler sampler = Sampler(one);
            for (int i = 0; i < 200; i++)
                sampler.Accept(sampler.Sample(logits, i), isAnswer: true);

            // The runtime allocates now and then, on any thread: never each time.
            Enumerable.Range(0, 3).Min(_ => Allocated(sampler, logits)).ShouldBeLessThan(500, one.ToString());
        }
    }

    public static TheoryData<string, InferenceOptions> Wrong { get; } = new()
    {
        { "temperature", s_plain with { Temperature = float.PositiveInfinity } },
        { "top_p", s_plain with { TopP = float.NaN } },
        { "min_p", s_plain with { MinP = float.NegativeInfinity } },
        { "typical_p", s_plain with { TypicalP = float.NaN } },
        { "repeat_penalty", s_plain with { RepeatPenalty = 0 } },
        { "presence_penalty", s_plain with { PresencePenalty = float.NaN } },
        { "frequency_penalty", s_plain with { FrequencyPenalty = 1e9f } },
        { "mirostat is 3", s_plain with { Mirostat = 3 } },
        { "mirostat_tau", s_plain with { MirostatTau = -1 } },
        { "mirostat_eta", s_plain with { MirostatEta = float.NaN } },
        { "top_logprobs is -1", s_plain with { TopLogprobs = -1 } },
        { "logit_bias names token 512", s_plain with { LogitBias = new Dictionary<int, float> { [512] = 1 } } },
        { "logit_bias names token -1", s_plain with { LogitBias = new Dictionary<int, float> { [-1] = 1 } } },
        { "logit_bias of token 3", s_plain with { LogitBias = new Dictionary<int, float> { [3] = float.NaN } } },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void Error_WrongNumber_NamesIt(string name, InferenceOptions options) =>
        new SamplerConfig(options, 1, 512).Error(512).ShouldNotBeNull().ShouldStartWith(name);

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

    // As llama.cpp writes it down: all sorted, nothing saved.
    private static Candidate[] MirostatCut(int version, double mu, float[] logits)
    {
        Candidate[] sorted = [.. logits.Select(static (logit, token) => new Candidate { Token = token, Logit = logit }).OrderByDescending(static one => one.Logit)];
        double sum = sorted.Sum(static one => Math.Exp(one.Logit));
        if (version == 2)
        {
            Candidate[] likely = [.. sorted.TakeWhile(one => -Math.Log2(Math.Exp(one.Logit) / sum) <= mu)];
            return likely.Length > 0 ? likely : sorted[..1];
        }
        double sumTB = 0, sumTT = 0;
        for (int i = 0; i < 99; i++)
        {
            double t = Math.Log((i + 2.0) / (i + 1));
            sumTB += t * (sorted[i].Logit - sorted[i + 1].Logit);
            sumTT += t * t;
        }
        double s = sumTB / sumTT;
        double k = Math.Pow((s - 1) * Math.Pow(2, mu) / (1 - Math.Pow(logits.Length, 1 - s)), 1 / s);
        return sorted[..Math.Clamp((int)k, 1, sorted.Length)];
    }

    private int Token(string text) => Enumerable.Range(0, 512).First(token => _model.Piece(token).Span.SequenceEqual(Encoding.UTF8.GetBytes(text)));

    /// <returns>Bytes, of 500 tokens.</returns>
    private static long Allocated(INativeSampler sampler, float[] logits)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 500; i++)
            sampler.Accept(sampler.Sample(logits, i), isAnswer: true);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private INativeSampler Sampler(InferenceOptions options) => _model.CreateSampler(new SamplerConfig(options, 42, 512));

    private static float[] Logits(Func<int, float> logit) => [.. Enumerable.Range(0, 512).Select(logit)];
}
