using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;

namespace OllamaMax.Core.Tests.Jobs.Records;

public sealed class JobRecordTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly RecordPolicy Policy = new();

    [Fact]
    public void Claim_Queued_IsGrantedTheFirstAttempt()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");

        record.Status.ShouldBe(RecordStatus.Running);
        record.Attempt.ShouldBe(new Attempt(1, "w1", "n-c1"));
        record.ClaimId.ShouldBe("c1");
    }

    [Fact]
    public void Claim_TheSameAgain_ChangesNothing()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");

        Claim(record, "c1", "w1", "m1").ShouldBeSameAs(record);
    }

    [Fact]
    public void Claim_SecondMessageOfARunningJob_IsRefused()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");

        Claim(record, "c2", "w2", "m2").ShouldBeSameAs(record);
    }

    [Fact]
    public void Claim_TheMessageShowsAgain_TheOldAttemptIsLostAndTheNextOneGranted()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");

        record = Claim(record, "c2", "w2", "m1", Output(1, from: 0, tokens: 5));

        record.Attempt!.Number.ShouldBe(2);
        record.ClaimId.ShouldBe("c2");
        record.History.ShouldHaveSingleItem().ShouldBe(new FailedAttempt(1, "w1", AttemptFailure.Lost, "worker w1 fell silent", Start, 0, 5) { ClaimId = "c1" });
    }

    /// <summary>It stood still while its message showed, and wakes to renew its signatures.</summary>
    [Fact]
    public void Claim_OfAnAttemptThatWasLost_TakesTheJobFromNobody()
    {
        JobRecord record = Claim(Claim(New(), "c1", "w1", "m1"), "c2", "w2", "m1", Output(1, from: 0, tokens: 5));

        Claim(record, "c1", "w1", "m1", Output(2, from: 5, tokens: 9)).ShouldBeSameAs(record);
    }

    [Fact]
    public void Claim_OfAnAttemptThatFailed_IsGrantedNoOther()
    {
        JobRecord record = Settle(Claim(New(), "c1", "w1", "m1"), Output(1, 0, 0, EndReason.Failed));

        Claim(record, "c1", "w1", "m1", Output(1, 0, 0, EndReason.Failed)).ShouldBeSameAs(record);
    }

    [Fact]
    public void Claim_LostTwiceInPlace_IsPoison()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");
        record = Claim(record, "c2", "w2", "m1", Output(1, from: 0, tokens: 0));
        record = Claim(record, "c3", "w3", "m1", Output(2, from: 0, tokens: 0));

        record.Status.ShouldBe(RecordStatus.Failed);
        record.ClaimId.ShouldNotBe("c3");
        record.Error!.Kind.ShouldBe(JobErrorKind.Failed);
        record.Error.Message.ShouldContain("fell silent");
        record.History.Count.ShouldBe(2);
    }

    /// <summary>The answers to its claims were lost, or its workers could not read the output.</summary>
    [Fact]
    public void Claim_LostManyTimesBeforeItBegan_GoesOnUntilTheLimit()
    {
        JobRecord record = Claim(New(), "c0", "w0", "m1");
        for (int loss = 1; loss < Policy.Poison.MaxLosses; loss++)
        {
            record = Claim(record, $"c{loss}", $"w{loss}", "m1");
            record.Status.ShouldBe(RecordStatus.Running);
        }

        Claim(record, "last", "w", "m1").IsPoison.ShouldBeTrue();
    }

    [Fact]
    public void Claim_LostInPlaceBeforeAndAfterOneThatNeverBegan_IsPoison()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");
        record = Claim(record, "c2", "w2", "m1", Output(1, from: 0, tokens: 0));
        record = Claim(record, "c3", "w3", "m1", Output(1, from: 0, tokens: 0));
        record.Status.ShouldBe(RecordStatus.Running);

        Claim(record, "c4", "w4", "m1", Output(3, from: 0, tokens: 0)).IsPoison.ShouldBeTrue();
    }

    [Fact]
    public void Claim_LostManyTimesWithProgress_GoesOnUntilTheLimit()
    {
        JobRecord record = Claim(New(), "c0", "w0", "m1");
        for (int loss = 1; loss < Policy.Poison.MaxLosses; loss++)
        {
            record = Claim(record, $"c{loss}", $"w{loss}", "m1", Output(loss, from: loss - 1, tokens: loss));
            record.Status.ShouldBe(RecordStatus.Running);
        }

        record = Claim(record, "last", "w", "m1", Output(Policy.Poison.MaxLosses, from: Policy.Poison.MaxLosses - 1, tokens: Policy.Poison.MaxLosses));

        record.Status.ShouldBe(RecordStatus.Failed);
    }

    [Fact]
    public void Claim_EndStandsInTheOutput_CompletesInsteadOfRunningAgain()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");

        record = Claim(record, "c2", "w2", "m1", Output(1, 0, 20, EndReason.Stop));

        record.Status.ShouldBe(RecordStatus.Completed);
        record.Statistics!.Tokens.ShouldBe(20);
        record.ClaimId.ShouldBe("c1");
    }

    [Fact]
    public void Settle_Finished_HasFiguresAndTheTimeOfTheLastLine()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");
        OutputFacts output = Output(1, 0, 20, EndReason.Length) with { WrittenAt = Start.AddSeconds(7) };

        record = record.Apply(new RecordCommand.Settle(output, Start.AddHours(1)), Policy);

        record.Status.ShouldBe(RecordStatus.Completed);
        record.Reason.ShouldBe(FinishReason.Length);
        record.EndedAt.ShouldBe(Start.AddSeconds(7));
        record.Statistics!.TotalDuration.ShouldBe(TimeSpan.FromSeconds(7));
        record.ExpiresAt.ShouldBe(Start.AddSeconds(7) + Policy.Retention);
    }

    [Theory]
    [InlineData(EndReason.Failed)]
    [InlineData(EndReason.HandedBack)]
    [InlineData(EndReason.Invalid)]
    public void Settle_FailureOfAnOlderAttempt_IsIgnored(EndReason reason)
    {
        JobRecord record = Claim(Claim(New(), "c1", "w1", "m1"), "c2", "w2", "m1", Output(1, 0, 3));

        record.Apply(new RecordCommand.Settle(Output(1, 0, 3, reason), Start), Policy).ShouldBeSameAs(record);
    }

    /// <summary>It was cut off from its queue, not from its output, and came to the end while the next attempt was granted.</summary>
    [Fact]
    public void Settle_AnswerOfAnOlderAttempt_Completes()
    {
        JobRecord record = Claim(Claim(New(), "c1", "w1", "m1"), "c2", "w2", "m1", Output(1, 0, 3));

        record = Settle(record, Output(1, 0, 20, EndReason.Stop));

        record.Status.ShouldBe(RecordStatus.Completed);
        record.Statistics!.ShouldSatisfyAllConditions(figures => figures.Tokens.ShouldBe(20), figures => figures.Attempts.ShouldBe(2));
    }

    /// <summary>Nobody could go on with it; nobody has to.</summary>
    [Fact]
    public void Claim_NextAttemptDiedAndAnOlderOneHasAnsweredInPieces_CompletesInsteadOfFailing()
    {
        JobRecord record = Claim(Claim(New(), "c1", "w1", "m1"), "c2", "w2", "m1", Output(1, 0, 0));

        record = Claim(record, "c3", "w3", "m1", Output(1, 0, 20, EndReason.Stop) with { IsContinuable = false });

        record.Status.ShouldBe(RecordStatus.Completed);
    }

    [Fact]
    public void Settle_FailedToTheLimit_IsPoisonWithItsHistory()
    {
        JobRecord record = New();
        for (int attempt = 1; attempt <= Policy.Poison.MaxFailures; attempt++)
        {
            record = Claim(record, $"c{attempt}", $"w{attempt}", "m1");
            record = Settle(record, Output(attempt, 0, 0, EndReason.Failed));
        }

        record.Status.ShouldBe(RecordStatus.Failed);
        record.Error!.Message.ShouldBe("set aside after 3 attempts; the last: broken");
        record.History.Select(failed => failed.WorkerId).ShouldBe(["w1", "w2", "w3"]);
    }

    [Theory]
    [InlineData(EndReason.HandedBack, "worker w1 left")]
    [InlineData(EndReason.Failed, "broken")]
    [InlineData(null, "worker w1 fell silent")]
    public void Claim_AnswerThatCannotBeContinuedHasBegun_FailsForGood(EndReason? end, string why)
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");

        record = Claim(record, "c2", "w2", "m1", Output(1, 0, 5, end) with { IsContinuable = false });

        record.Status.ShouldBe(RecordStatus.Failed);
        record.Error!.Message.ShouldContain(why);
        record.History.ShouldHaveSingleItem().To.ShouldBe(5);
        record.Apply(new RecordCommand.Requeue(TimeSpan.FromHours(1), UseCount.None, Start), Policy).ShouldBeSameAs(record);
    }

    [Fact]
    public void Settle_CrashedTwiceWithoutATokenInBetween_IsPoison()
    {
        JobRecord record = Settle(Claim(New(), "c1", "w1", "m1"), Crash(1, from: 0, tokens: 5));
        record.Status.ShouldBe(RecordStatus.Queued);
        record = Settle(Claim(record, "c2", "w2", "m1"), Crash(2, from: 5, tokens: 5));

        record.Status.ShouldBe(RecordStatus.Failed);
        record.IsPoison.ShouldBeTrue();
        record.History.Select(failed => failed.Kind).ShouldBe([AttemptFailure.Crashed, AttemptFailure.Crashed]);
    }

    [Fact]
    public void Settle_CrashedTwiceWithNewTokens_GoesOnUntilAThirdFailure()
    {
        JobRecord record = Settle(Claim(New(), "c1", "w1", "m1"), Crash(1, from: 0, tokens: 5));
        record = Settle(Claim(record, "c2", "w2", "m1"), Crash(2, from: 5, tokens: 9));
        record.Status.ShouldBe(RecordStatus.Queued);

        record = Settle(Claim(record, "c3", "w3", "m1"), Crash(3, from: 9, tokens: 12));

        record.IsPoison.ShouldBeTrue();
    }

    [Fact]
    public void SetAside_Interactive_HasWhatOperatorsNeedAndNoPrompt()
    {
        Job job = New().Job! with { ModelName = "demo", Shape = RequestShape.Chat };
        FailedAttempt[] history = [new(2, "w1", AttemptFailure.Crashed, "signal 6", Start.AddSeconds(1), 0, 3)];
        var error = new JobError(JobErrorKind.Failed, "given up");

        JobRecord record = JobRecord.SetAside(job, history, error, Start, Start.AddSeconds(2), promptKept: TimeSpan.Zero, kept: TimeSpan.FromDays(7));

        (record.Status, record.IsPoison, record.IsInteractive, record.HasContent).ShouldBe((RecordStatus.Failed, true, true, false));
        (record.RequestId, record.ModelName, record.Attempts).ShouldBe(("r", "demo", 2));
        record.DueAt(Policy).ShouldBe(Start.AddSeconds(2) + TimeSpan.FromDays(7));
        record.Apply(new RecordCommand.Requeue(TimeSpan.FromHours(1), UseCount.None, Start), Policy).ShouldBeSameAs(record);
    }

    [Fact]
    public void Requeue_SetAsideWithItsPrompt_IsABackgroundJobFromNowOn()
    {
        Job job = New().Job! with { Shape = RequestShape.Chat };
        JobRecord record = JobRecord.SetAside(job, [], new JobError(JobErrorKind.Failed, "given up"), Start, Start, TimeSpan.FromHours(1), TimeSpan.FromDays(7));
        record.DueAt(Policy).ShouldBe(Start + TimeSpan.FromHours(1));

        record = record.Apply(new RecordCommand.Requeue(TimeSpan.FromHours(1), UseCount.None, Start), Policy);

        (record.Status, record.IsPoison, record.Job!.Band).ShouldBe((RecordStatus.Queued, false, Band.Batch));
        Claim(record, "c1", "w1", "m1").Status.ShouldBe(RecordStatus.Running);
    }

    [Fact]
    public void Settle_HandedBackManyTimes_IsNoFailure()
    {
        JobRecord record = New();
        for (int attempt = 1; attempt <= 20; attempt++)
            record = Settle(Claim(record, $"c{attempt}", "w", "m1"), Output(attempt, 0, 0, EndReason.HandedBack));

        record.Status.ShouldBe(RecordStatus.Queued);
        record.Attempts.ShouldBe(20);
    }

    [Fact]
    public void Settle_PastTheDeadline_Fails()
    {
        JobRecord record = New().Apply(new RecordCommand.Settle(OutputFacts.None, Start.AddMinutes(10)), Policy);

        record.Status.ShouldBe(RecordStatus.Failed);
        record.Error!.Kind.ShouldBe(JobErrorKind.DeadlineExceeded);
    }

    [Fact]
    public void Cancel_Ended_ChangesNothing()
    {
        JobRecord record = Settle(Claim(New(), "c1", "w1", "m1"), Output(1, 0, 20, EndReason.Stop));

        record.Apply(new RecordCommand.Cancel(Start), Policy).ShouldBeSameAs(record);
    }

    [Fact]
    public void Claim_AfterCancel_IsRefused()
    {
        JobRecord record = New().Apply(new RecordCommand.Cancel(Start), Policy);

        record.Status.ShouldBe(RecordStatus.Cancelled);
        Claim(record, "c1", "w1", "m1").ShouldBeSameAs(record);
    }

    [Fact]
    public void Requeue_Poison_ForgivesWhatWas()
    {
        JobRecord record = Claim(New(), "c1", "w1", "m1");
        record = Claim(record, "c2", "w2", "m1", Output(1, 0, 0));
        record = Claim(record, "c3", "w3", "m1", Output(2, 0, 0));

        record = record.Apply(new RecordCommand.Requeue(TimeSpan.FromHours(1), UseCount.None, Start), Policy);
        record.Status.ShouldBe(RecordStatus.Queued);
        record = Claim(record, "c4", "w4", "m2");
        record = Claim(record, "c5", "w5", "m2", Output(3, 0, 0));

        record.Status.ShouldBe(RecordStatus.Running);
        record.Attempt!.Number.ShouldBe(4);
        record.History.Count.ShouldBe(3);
    }

    [Fact]
    public void End_NothingIsToBeStored_ThePromptGoesAtOnceAndTheOutputIsDue()
    {
        var nothing = new RecordPolicy { Retention = TimeSpan.Zero };
        JobRecord record = Claim(New(), "c1", "w1", "m1").Apply(new RecordCommand.Watch(Start.AddSeconds(30), Start), nothing);

        record = record.Apply(new RecordCommand.Settle(Output(1, 0, 20, EndReason.Stop), Start), nothing);

        record.Job.ShouldBeNull();
        record.HasContent.ShouldBeTrue();
        record.DueAt(nothing).ShouldBe(Start.AddSeconds(30));
        record = record.Apply(new RecordCommand.Strip(Start), nothing);
        record.HasContent.ShouldBeFalse();
        record.Statistics!.Tokens.ShouldBe(20);
        record.DueAt(nothing).ShouldBe(Start + nothing.FiguresKept);
    }

    [Fact]
    public void Settle_EmbeddingEnded_HasPutOutNoTokens()
    {
        JobRecord record = Claim(New() with { Embedding = new(Dimensions: 0, IsBase64: false) }, "c1", "w1", "m1");

        record = Settle(record, Output(1, 0, 3, EndReason.Stop));

        record.Status.ShouldBe(RecordStatus.Completed);
        record.Statistics!.Tokens.ShouldBe(0);
    }

    private static JobRecord New() => JobRecord.Create(
        new Job
        {
            Id = "j",
            RequestId = "r",
            Tenant = "t",
            Model = "sha256:0",
            Prompt = "hi",
            Options = new InferenceOptions(),
            Seed = 1,
            Deadline = TimeSpan.FromMinutes(10),
        },
        RequestShape.Generate,
        "demo",
        Start);

    private static JobRecord Claim(JobRecord record, string claim, string worker, string message, OutputFacts? output = null) =>
        record.Apply(new RecordCommand.Claim(claim, worker, message, $"n-{claim}", output ?? OutputFacts.None, Start), Policy);

    private static JobRecord Settle(JobRecord record, OutputFacts output) => record.Apply(new RecordCommand.Settle(output, Start), Policy);

    private static OutputFacts Crash(int attempt, int from, int tokens)
    {
        OutputFacts output = Output(attempt, from, tokens, EndReason.Failed);
        return output with { End = output.End! with { Crashed = true } };
    }

    private static OutputFacts Output(int attempt, int from, int tokens, EndReason? end = null) => new()
    {
        Attempt = attempt,
        From = from,
        Tokens = tokens,
        End = end is { } reason ? new AttemptEnd { Reason = reason, Error = reason == EndReason.Failed ? "broken" : null } : null,
    };
}
