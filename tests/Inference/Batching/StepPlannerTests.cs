using OllamaMax.Inference.Batching;
using OllamaMax.Inference.Native;

namespace OllamaMax.Inference.Tests.Batching;

public sealed class StepPlannerTests
{
    private readonly DecodeBatch _batch = new(64);
    private readonly StepPlanner _planner = new(batchSize: 64, new DraftPlanner(most: 0));
    private int _sequences;

    [Fact]
    public void Plan_PromptsAlone_FillTheBatchTheShortestFirst()
    {
        Plan(Job(200), Job(100), Job(300)).ShouldBe([(100, 32), (200, 16), (300, 16)]);
        _planner.Answers.ShouldBe(0);
    }

    [Fact]
    public void Plan_PromptsThatFit_AreReadWhole() => Plan(Job(30), Job(10), Job(20)).ShouldBe([(10, 10), (20, 20), (30, 30)]);

    [Fact]
    public void Plan_EqualPrompts_OneOfThemGetsHalf() => Plan(Job(100), Job(100)).Select(part => part.Count).ShouldBe([32, 32]);

    [Fact]
    public void Plan_AnswersAndPrompts_PacedPromptsBesideEveryAnswer()
    {
        Plan(Job(100), Job(1), Job(1)).ShouldBe([(1, 1), (1, 1), (100, 8)]);
        _planner.Answers.ShouldBe(2);
    }

    [Fact]
    public void Plan_MorePromptsThanTokens_EachComesOn() =>
        Plan([Job(1), .. Enumerable.Range(0, 20).Select(i => Job(100 + i))]).Skip(1).ShouldAllBe(part => part.Count == 1);

    [Fact]
    public void Plan_AFullBatchOfAnswers_HasNoRoomForPrompts()
    {
        StepPlanner small = new(batchSize: 3, new DraftPlanner(most: 0));
        IReadOnlyList<StepPart> parts = small.Plan([Job(1), Job(1), Job(50)], new DecodeBatch(3), new PromptPacing(8, 512));

        parts.Select(part => part.Count).ShouldBe([1, 1, 1]);
        parts[^1].Output.ShouldBe(-1);
    }

    private IEnumerable<(int Pending, int Count)> Plan(params IReadOnlyList<EngineJob> jobs) =>
        [.. _planner.Plan(jobs, _batch, new PromptPacing(8, 512)).Select(part => (part.Job.Pending, part.Count))];

    private EngineJob Job(int pending) => EngineFixture.Begun(_sequences++, pending);
}
