using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Orchestrations.Tests.Support;

namespace OllamaMax.Orchestrations.Tests.Strategies;

/// <summary>The strategies in virtual time: what they ask for, and what they make of how it ends.</summary>
public sealed class StrategyTests
{
    private readonly World _world = new();

    [Fact]
    public async Task Choices_AllComplete_AnswerInTheirOrder()
    {
        await _world.StartAsync("n", "demo", "demo", "demo");
        _world.Jobs.Select(job => job.Choice).ShouldBe([0, 1, 2]);
        _world.Jobs.ShouldAllBe(job => JobId.IsValid(job.JobId));

        foreach (SubmitInput job in _world.Jobs.AsEnumerable().Reverse())
            await _world.EndAsync(job);

        _world.Result.Status.ShouldBe(RecordStatus.Completed);
        _world.Result.Answers.ShouldBe(_world.Jobs.Select(job => job.JobId));
        _world.IsFinished.ShouldBeTrue();
        _world.Cancelled.ShouldBeEmpty();
    }

    [Fact]
    public async Task Choices_OneFails_IsTriedAgainAndThenReported()
    {
        await _world.StartAsync("n", "demo", "demo");
        await _world.EndAsync(_world.Jobs[0]);
        await _world.EndAsync(_world.Jobs[1], RecordStatus.Failed, "first");
        _world.Jobs.Count.ShouldBe(3);
        _world.Jobs[2].JobId.ShouldNotBe(_world.Jobs[1].JobId);

        await _world.EndAsync(_world.Jobs[2], RecordStatus.Failed, "second");

        _world.Result.Status.ShouldBe(RecordStatus.Completed);
        _world.Result.Answers.ShouldBe([_world.Jobs[0].JobId]);
        BranchView failed = _world.Result.Branches[1];
        (failed.Status, failed.Error, failed.Jobs, failed.JobId).ShouldBe((RecordStatus.Failed, "second", 2, _world.Jobs[2].JobId));
    }

    [Fact]
    public async Task Choices_AllFail_SaysWhy()
    {
        await _world.StartAsync("n", input => input with { Retries = 0 }, "demo", "demo");

        foreach (SubmitInput job in _world.Jobs.ToList())
            await _world.EndAsync(job, RecordStatus.Failed, "no such luck");

        _world.Result.Status.ShouldBe(RecordStatus.Failed);
        _world.Result.Error.ShouldBe("2 of 2 branches have no answer; the first: no such luck");
    }

    [Fact]
    public async Task Choices_MoreThanAtATime_FollowAsOthersEnd()
    {
        await _world.StartAsync("n", input => input with { MaxParallel = 2 }, [.. Enumerable.Repeat("demo", 5)]);
        _world.Jobs.Count.ShouldBe(2);

        for (int i = 0; i < 5; i++)
            await _world.EndAsync(_world.Jobs[i]);

        _world.Result.Answers.Count.ShouldBe(5);
    }

    [Fact]
    public async Task Race_FirstAnswer_WinsAndCancelsTheOthers()
    {
        await _world.StartAsync("race", "a", "b", "c");
        await _world.EndAsync(_world.Jobs[0], RecordStatus.Cancelled);

        await _world.EndAsync(_world.Jobs[2]);

        _world.Result.Answers.ShouldBe([_world.Jobs[2].JobId]);
        _world.Cancelled.ShouldBe([_world.Jobs[1].JobId]);
        _world.Result.Branches.Select(branch => branch.Status).ShouldBe([RecordStatus.Cancelled, RecordStatus.Cancelled, RecordStatus.Completed]);
    }

    [Fact]
    public async Task MapReduce_OfTenParts_ReducesInATree()
    {
        _world.Split = new(10);
        await _world.StartAsync("map_reduce", input => input with { FanIn = 3 }, "demo");

        for (int i = 0; i < _world.Jobs.Count; i++)
            await _world.EndAsync(_world.Jobs[i]);

        _world.Jobs.Where(job => job.Prompt == "map").Select(job => job.Part).ShouldBe(Enumerable.Range(0, 10));
        SubmitInput[] reduces = [.. _world.Jobs.Where(job => job.Prompt == "reduce")];
        reduces.Select(job => job.AnswersOf.Count).ShouldBe([3, 3, 3, 1, 3, 1, 2]);
        reduces[0].AnswersOf.ShouldBe(_world.Jobs.Take(3).Select(job => job.JobId));
        reduces[^1].AnswersOf.ShouldBe([reduces[4].JobId, reduces[5].JobId]);
        _world.Result.Answers.ShouldBe([reduces[^1].JobId]);
    }

    [Fact]
    public async Task MapReduce_PartWithoutAnswer_FailsTheWhole()
    {
        _world.Split = new(2);
        await _world.StartAsync("map_reduce", input => input with { Retries = 0 }, "demo");
        await _world.EndAsync(_world.Jobs[0]);

        await _world.EndAsync(_world.Jobs[1], RecordStatus.Failed, "too long");

        _world.Result.Error.ShouldBe("1 of 2 branches have no answer; the first: too long");
        _world.Jobs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task MapReduce_TooManyParts_FailsBeforeAnyJob()
    {
        _world.Split = new(10_000, "too many");

        await _world.StartAsync("map_reduce", "demo");

        _world.Result.Error.ShouldBe("too many");
        _world.Jobs.ShouldBeEmpty();
    }

    [Fact]
    public async Task Ensemble_WithJudge_AsksItAboutTheAnswersThereAre()
    {
        await _world.StartAsync("ensemble", input => input with { JudgeModel = "judge", Retries = 0 }, "a", "b", "c");
        await _world.EndAsync(_world.Jobs[0]);
        await _world.EndAsync(_world.Jobs[1], RecordStatus.Failed, "out of memory");
        await _world.EndAsync(_world.Jobs[2]);
        SubmitInput judge = _world.Jobs[3];
        (judge.Model, judge.Prompt).ShouldBe(("judge", "judge"));
        judge.AnswersOf.ShouldBe([_world.Jobs[0].JobId, _world.Jobs[2].JobId]);

        await _world.EndAsync(judge);

        _world.Result.Answers.ShouldBe([judge.JobId]);
        _world.Result.Branches.Select(branch => branch.Role).ShouldBe(["candidate", "candidate", "candidate", "judge"]);
    }

    [Fact]
    public async Task Ensemble_WithoutJudge_LetsTheAnswersVote()
    {
        await _world.StartAsync("ensemble", "a", "b");
        await _world.EndAsync(_world.Jobs[0]);

        await _world.EndAsync(_world.Jobs[1]);

        _world.VotedOn.ShouldBe(_world.Jobs.Select(job => job.JobId));
        _world.Result.Vote.ShouldBe(new VoteOutcome(_world.Jobs[0].JobId, "42", 2, 2));
        _world.Result.Answers.ShouldBe([_world.Jobs[0].JobId]);
    }

    [Fact]
    public async Task Completion_Lost_IsFoundByATimer()
    {
        await _world.StartAsync("n", "demo");
        await _world.EndAsync(_world.Jobs[0], isAnnounced: false);
        await _world.Hub.PassAsync(TimeSpan.FromSeconds(29));
        _world.Hub[World.Id].IsEnded.ShouldBeFalse();

        await _world.Hub.PassAsync(TimeSpan.FromSeconds(1));

        _world.Result.Status.ShouldBe(RecordStatus.Completed);
    }

    [Fact]
    public async Task Progress_WhileItRuns_CanBeWatched()
    {
        await _world.StartAsync("n", "demo", "demo");

        await _world.EndAsync(_world.Jobs[1]);

        string status = _world.Hub[World.Id].CustomStatus!.Text!;
        IReadOnlyList<BranchView> branches = Microsoft.DurableTask.Converters.JsonDataConverter.Default.Deserialize<StrategyProgress>(status)!.Branches;
        branches.Select(branch => branch.Status).ShouldBe([RecordStatus.Queued, RecordStatus.Completed]);
        branches.Select(branch => branch.JobId).ShouldBe(_world.Jobs.Select(job => job.JobId));
    }

    /// <summary>Its document's column holds 16 KB of UTF-16 in Durable Functions.</summary>
    [Fact]
    public async Task Progress_OfManyBranches_FitsAndHasThoseUnderWay()
    {
        await _world.StartAsync("n", input => input with { Retries = 0 }, [.. Enumerable.Repeat("a-model-with-a-long-name:latest", 100)]);
        for (int i = 0; i < 60; i++)
            await _world.EndAsync(_world.Jobs[i], i % 2 == 0 ? RecordStatus.Completed : RecordStatus.Failed, i % 2 == 0 ? null : new string('ü', 1000));

        string status = _world.Hub[World.Id].CustomStatus!.Text!;

        status.Length.ShouldBeLessThan(8192);
        IReadOnlyList<BranchView> branches = Microsoft.DurableTask.Converters.JsonDataConverter.Default.Deserialize<StrategyProgress>(status)!.Branches;
        branches.Where(branch => branch.Status == RecordStatus.Queued).Select(branch => branch.Index).ShouldBe(Enumerable.Range(60, 32));
        branches.Select(branch => branch.Index).ShouldBeInOrder();
    }

    [Fact]
    public async Task Look_FailsForLong_WaitsOnAndLosesNoAnswer()
    {
        bool isAway = true;
        _world.OnLook = _ => isAway ? throw new InvalidOperationException("storage is away") : null;
        await _world.StartAsync("n", "demo", "demo");

        await _world.EndAsync(_world.Jobs[0]);
        await _world.Hub.PassAsync(TimeSpan.FromMinutes(10));
        _world.Hub[World.Id].IsEnded.ShouldBeFalse();
        isAway = false;
        await _world.EndAsync(_world.Jobs[1]);
        await _world.Hub.PassAsync(TimeSpan.FromMinutes(10));

        _world.Result.Answers.ShouldBe(_world.Jobs.Select(job => job.JobId));
        _world.Cancelled.ShouldBeEmpty();
    }

    [Fact]
    public async Task Submit_OfRivals_SaysThatTheyAreToBeSpread()
    {
        await _world.StartAsync("race", "demo", "demo");

        _world.Jobs.ShouldAllBe(job => job.IsSpread);
    }

    [Fact]
    public async Task Cancel_WhileBranchesRun_TakesThemAlong()
    {
        await _world.StartAsync("n", "demo", "demo", "demo");
        await _world.EndAsync(_world.Jobs[0]);

        _world.Hub.Raise(World.Id, EventNames.Cancel);
        await _world.Hub.RunAsync();

        _world.Result.Status.ShouldBe(RecordStatus.Cancelled);
        _world.Cancelled.ShouldBe([_world.Jobs[1].JobId, _world.Jobs[2].JobId]);
        _world.IsFinished.ShouldBeTrue();
    }

    [Fact]
    public async Task Deadline_Passed_CancelsWhatIsUnderWay()
    {
        await _world.StartAsync("race", "a", "b");

        await _world.Hub.PassAsync(TimeSpan.FromHours(1));

        (_world.Result.Status, _world.Result.Error).ShouldBe((RecordStatus.Failed, "the deadline passed"));
        _world.Cancelled.ShouldBe(_world.Jobs.Select(job => job.JobId));
    }

    [Fact]
    public async Task Submit_RefusedForNow_IsDoneLaterWithTheSameId()
    {
        List<string> asked = [];
        _world.OnSubmit = input =>
        {
            asked.Add(input.JobId);
            return asked.Count < 3 ? new SubmitOutcome("busy", TimeSpan.FromSeconds(30)) : new SubmitOutcome();
        };
        await _world.StartAsync("n", "demo");

        await _world.Hub.PassAsync(TimeSpan.FromMinutes(1));
        await _world.EndAsync(_world.Jobs[0]);

        asked.Distinct().Count().ShouldBe(1);
        asked.Count.ShouldBe(3);
        _world.Result.Status.ShouldBe(RecordStatus.Completed);
    }

    [Fact]
    public async Task Submit_RefusedForLong_IsTriedEverMoreSeldom()
    {
        List<DateTimeOffset> asked = [];
        _world.OnSubmit = _ =>
        {
            asked.Add(_world.Hub.Now);
            return new SubmitOutcome("busy", asked.Count == 3 ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds(1));
        };
        await _world.StartAsync("n", "demo");

        await _world.Hub.PassAsync(TimeSpan.FromMinutes(30));

        asked.Zip(asked.Skip(1), (one, next) => (next - one).TotalSeconds).ShouldBe([5, 10, 60, 40, 80, 160, 300, 300, 300, 300]);
    }

    [Fact]
    public async Task Submit_RefusedForGood_IsTheBranchsFailure()
    {
        _world.OnSubmit = input => input.Model == "gone" ? new SubmitOutcome("model 'gone' not found") : new SubmitOutcome();
        await _world.StartAsync("n", "demo", "gone");

        await _world.EndAsync(_world.Jobs[0]);

        _world.Result.Branches[1].Error.ShouldBe("model 'gone' not found");
        _world.Result.Answers.ShouldBe([_world.Jobs[0].JobId]);
    }
}
