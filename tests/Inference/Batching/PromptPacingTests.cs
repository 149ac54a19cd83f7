using OllamaMax.Inference.Batching;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class PromptPacingTests
{
    private static readonly TimeSpan s_alone = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Tokens_NothingMeasured_AreTheFewest() => new PromptPacing(8, 512).Tokens(answers: 1, prompts: 1).ShouldBe(8);

    [Theory]
    [InlineData(0.1, 80)]
    [InlineData(0.5, 16)]
    [InlineData(4, 2)]
    [InlineData(50, 1)] // One of them would be five steps already: prompts come on all the same.
    [InlineData(0.001, 512)]
    [InlineData(0, 512)]
    public void Tokens_AfterAWhile_MakeAStepAlmostTwiceAsLong(double millisecondsPerToken, int expected)
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, millisecondsPerToken, steps: 40);

        pacing.Tokens(4, 1).ShouldBeInRange(expected - 1, expected);
    }

    [Theory]
    [InlineData(4, 1, 80)]
    [InlineData(4, 4, 100)]
    [InlineData(4, 6, 150)]
    [InlineData(4, 7, 175)]
    [InlineData(1, 7, 200)]
    public void Tokens_MorePromptsThanAnswers_UpToThreeSteps(int answers, int prompts, int expected)
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.1, steps: 40);
        pacing.Add(answers: 4, promptTokens: 100, TimeSpan.FromMilliseconds(20));

        pacing.Tokens(answers, prompts).ShouldBeInRange(expected - 1, expected);
    }

    [Fact]
    public void Tokens_CostsLittleKnown_AtMostDoubleFromStepToStep()
    {
        PromptPacing pacing = new(8, 512);
        pacing.Add(answers: 4, promptTokens: 0, s_alone);
        int before = pacing.Tokens(4, 1);
        for (int i = 0; i < 10; i++)
        {
            Run(pacing, 0.001, steps: 1);
            pacing.Tokens(4, 1).ShouldBeLessThanOrEqualTo(2 * before);
            before = pacing.Tokens(4, 1);
        }
        before.ShouldBe(512);
    }

    [Fact]
    public void Tokens_OneStepThatWaitsForTheMachine_ChangesNothing()
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.1, steps: 40);
        int before = pacing.Tokens(4, 1);

        pacing.Add(answers: 4, promptTokens: before, TimeSpan.FromSeconds(3));
        pacing.Add(answers: 4, promptTokens: 0, TimeSpan.FromSeconds(3));

        pacing.Tokens(4, 1).ShouldBe(before);
    }

    [Fact]
    public void Tokens_AMachineThatBecomesSlower_Follow()
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.1, steps: 40);

        Run(pacing, 1, steps: 40);

        pacing.Tokens(4, 1).ShouldBeInRange(7, 8);
    }

    [Fact]
    public void Tokens_AnswersThatTakeLongerWithEveryToken_AreNotCountedOnThePrompts()
    {
        PromptPacing pacing = new(8, 512);
        pacing.Add(answers: 4, promptTokens: 0, s_alone);
        for (int i = 0; i < 2000; i++)
        {
            int tokens = pacing.Tokens(4, 1);
            pacing.Add(answers: 4, tokens, s_alone + TimeSpan.FromMilliseconds(i * 0.02 + tokens * 2));
        }
        // 50 ms and 2 ms.
        pacing.Tokens(4, 1).ShouldBeInRange(16, 20);
    }

    [Theory]
    [InlineData(10, 1, 80)]
    [InlineData(12, 1, 60)] // 18 ms are almost twice what a step took then.
    [InlineData(14, 1, 40)]
    [InlineData(18, 1, 45)] // A quarter of a step in any case.
    [InlineData(40, 1, 100)]
    [InlineData(18, 3, 135)] // With nearly as many prompts as answers they get as much of the time as those.
    public void Tokens_AnswersHaveGrownSinceThePromptCame_KeepTheStepWhereItWas(double millisecondsNow, int prompts, int expected)
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.1, steps: 40);
        pacing.Tokens(4, prompts: 0);

        for (int i = 0; i < 3; i++)
            pacing.Add(answers: 4, promptTokens: 0, TimeSpan.FromMilliseconds(millisecondsNow));

        pacing.Tokens(4, prompts).ShouldBeInRange(expected - 1, expected);
    }

    [Fact]
    public void Add_FewerAnswersThanMeasured_TokensDoNotLookCheap()
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.5, steps: 40);

        // One answer where there were four, and others' prompts beside it: 2.5 ms and half a millisecond for each token.
        for (int i = 0; i < 5; i++)
            pacing.Add(answers: 1, promptTokens: 16, TimeSpan.FromMilliseconds(10.5));
        pacing.Add(answers: 4, promptTokens: 0, s_alone);

        pacing.Tokens(4, 1).ShouldBeInRange(15, 16);
    }

    [Fact]
    public void Add_AnswersAreShorterThanWhenMeasured_TokensAreNotFree()
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.5, steps: 40);

        // As many answers, but new ones: 1 ms, and half a millisecond for each token.
        pacing.Add(answers: 4, promptTokens: 8, TimeSpan.FromMilliseconds(5));

        pacing.Tokens(4, 1).ShouldBe(0);
        pacing.Add(answers: 4, promptTokens: 0, TimeSpan.FromMilliseconds(1));
        pacing.Tokens(4, 1).ShouldBeInRange(1, 2);
    }

    [Fact]
    public void Add_StepsThatTakeAlmostAsLongAsAlone_AreTheMachinesDoing()
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, 0.5, steps: 40);

        pacing.Add(answers: 4, promptTokens: 8, TimeSpan.FromMilliseconds(9));

        pacing.Tokens(4, 1).ShouldBeGreaterThan(0);
    }

    [Fact]
    public void Slice_PromptsReadApart_IsWhatTheyWouldTakeInAStep()
    {
        PromptPacing pacing = new(8, 512);
        pacing.Slice(4, 1).ShouldBe(TimeSpan.Zero);

        pacing.Add(answers: 4, promptTokens: 0, s_alone);
        pacing.Slice(4, 1).TotalMilliseconds.ShouldBe(8, 0.01);
        pacing.Slice(4, 7).TotalMilliseconds.ShouldBe(17.5, 0.01);

        pacing.Tokens(4, prompts: 0);
        for (int i = 0; i < 3; i++)
            pacing.Add(answers: 4, promptTokens: 0, TimeSpan.FromMilliseconds(14));
        pacing.Slice(4, 1).TotalMilliseconds.ShouldBe(4, 0.01);
    }

    [Fact]
    public void Tokens_NeverAlone_EverySixteenthStepIs()
    {
        PromptPacing pacing = new(8, 512);
        List<int> planned = [];
        for (int i = 0; i < 51; i++)
        {
            planned.Add(pacing.Tokens(4, 1));
            pacing.Add(answers: 4, planned[^1], s_alone);
        }
        planned.Index().Where(step => step.Item == 0).Select(step => step.Index).ShouldBe([16, 33, 50]);
    }

    [Fact]
    public void Forget_MeasuredWell_TheNextStepBesidePromptsHasAnswersAlone()
    {
        PromptPacing pacing = new(8, 512);
        Run(pacing, millisecondsPerToken: 1, steps: 5);
        pacing.Tokens(4, 1).ShouldBeGreaterThan(0);

        pacing.Forget();

        pacing.Tokens(1, 1).ShouldBe(0);
        pacing.Slice(1, 1).ShouldBe(TimeSpan.Zero);
        pacing.Add(answers: 1, promptTokens: 0, s_alone / 4);
        pacing.Slice(1, 1).TotalMilliseconds.ShouldBe(2.5, 0.01);
    }

    [Fact]
    public void Add_StepsOfPromptsAlone_SayNothingAboutAnswers()
    {
        PromptPacing pacing = new(8, 512);

        pacing.Add(answers: 0, promptTokens: 512, TimeSpan.FromSeconds(1));

        pacing.Tokens(4, 1).ShouldBe(8);
    }

    // Answers alone and with prompts beside them, in turn.
    private static void Run(PromptPacing pacing, double millisecondsPerToken, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            pacing.Add(answers: 4, promptTokens: 0, s_alone);
            int tokens = pacing.Tokens(4, 1);
            pacing.Add(answers: 4, tokens, s_alone + TimeSpan.FromMilliseconds(millisecondsPerToken * tokens));
        }
    }
}
