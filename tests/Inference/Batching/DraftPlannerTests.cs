using OllamaMax.Inference.Batching;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class DraftPlannerTests
{
    private const int Room = 64;

    private readonly DraftPlanner _planner = new(most: 8);
    private int _sequences;

    [Fact]
    public void Plan_NoStepMeasured_GuessesNothing() => Plan(Surely()).ShouldBeEmpty();

    [Fact]
    public void Plan_StepsWaitForMemory_TakesTwiceAsManyAsItHasTried()
    {
        EngineJob job = Surely();
        Add(1, 10);
        int[][] plans = [.. Enumerable.Range(0, 4).Select(_ =>
        {
            int[] plan = Plan(job);
            Add(1 + plan.Sum(), 10);
            return plan;
        })];

        plans.ShouldBe([[1], [2], [4], [8]]);
    }

    [Fact]
    public void Plan_TheOneStepWithAGuessWaitedForTheMachine_TriesAnother()
    {
        Add(1, 10);
        Add(2, 900);
        Plan(Surely()).ShouldBeEmpty();

        for (int i = 0; i < 20; i++)
            Add(1, 10);

        Plan(Surely()).ShouldBe([1]);
    }

    [Fact]
    public void Plan_GuessesWouldMakeAStepVeryLong_StopsBefore()
    {
        Add(1, 10);
        Add(9, 82);

        Plan(Surely()).ShouldBe([3]);
    }

    [Fact]
    public void Plan_StepsCompute_GuessesNothing()
    {
        Add(1, 10);
        Add(2, 20);

        Plan(Surely()).ShouldBeEmpty();
    }

    [Fact]
    public void Plan_GuessesAreMostlyWrong_TakesNoneWhereTheyCost()
    {
        Add(1, 10);
        Add(2, 13);

        Plan(Seldom()).ShouldBeEmpty();
        Plan(Surely()).ShouldNotBeEmpty();
    }

    [Fact]
    public void Plan_EachTokenCosts_StopsWhereTheNextIsWorthLess()
    {
        Add(1, 10);
        Add(9, 34);
        EngineJob half = Half();

        int[] plan = Plan(half);

        // A half, a quarter, an eighth of a token for 3 ms each: the first of them makes 1.5 of 13 ms, two 1.75 of 16.
        plan.ShouldBe([1]);
    }

    [Fact]
    public void Plan_SomeAreGuessedBetter_TheseGetTheGuesses()
    {
        Add(2, 10);
        Add(6, 11);

        int[] plan = Plan(Surely(), Seldom());

        plan[0].ShouldBe(8);
        plan[1].ShouldBeLessThan(2);
    }

    [Fact]
    public void Plan_OthersWouldWait_KeepsTheStepBearable()
    {
        Add(2, 10);
        Add(4, 11);
        Add(5, 30);

        Plan(Surely(), Nothing()).ShouldBe([2, 0]);
    }

    [Fact]
    public void Plan_LittleRoom_StaysInIt()
    {
        Add(1, 10);
        Add(9, 10);

        _planner.Plan([Surely()], room: 3).ToArray().ShouldBe([3]);
        _planner.Plan([Surely()], room: 0).ToArray().ShouldBeEmpty();
    }

    [Fact]
    public void Plan_TimeStandsStill_GuessesNothing()
    {
        Add(1, 0);
        Add(2, 0);

        Plan(Surely()).ShouldBeEmpty();
    }

    [Fact]
    public void TurnOff_ThenOn_GuessesNothingAnyMore()
    {
        Add(1, 10);
        _planner.TurnOff();

        Plan(Surely()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(5, 1000, 4)]
    [InlineData(1000, 103, 2)]
    [InlineData(1, 1000, 0)]
    public void Guess_AnswerOrContextEndsSoon_EndsBefore(int answer, int context, int expected)
    {
        int[] tokens = [.. Enumerable.Range(0, 50).Concat(Enumerable.Range(0, 50))];

        EngineFixture.Begun(0, tokens, answer, context).Guess.Length.ShouldBe(expected);
    }

    private int[] Plan(params EngineJob[] answers) => _planner.Plan(answers, Room).ToArray();

    private void Add(int tokens, double milliseconds) => _planner.Add(tokens, TimeSpan.FromMilliseconds(milliseconds));

    // A text that begins anew, and has been going on as it did for long.
    private EngineJob Surely() => Answer([.. Enumerable.Range(0, 50)], [.. Enumerable.Range(0, 40)]);

    private EngineJob Half() => Answer([.. Enumerable.Range(0, 50), 0, 1, 2], []);

    // Each time these tokens come, another one follows.
    private EngineJob Seldom() => Answer([0, 1, 2], [.. Enumerable.Range(10, 30).SelectMany(static i => (int[])[i, 0, 1, 2])]);

    private EngineJob Nothing() => Answer([.. Enumerable.Range(0, 50)], []);

    private EngineJob Answer(int[] prompt, int[] answer)
    {
        EngineJob job = EngineFixture.Begun(_sequences++, prompt);
        foreach (int token in answer)
            job.Append(token);
        return job;
    }
}
