using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Core.Tests.Jobs.Owning;

public sealed class JobOwnerTests : OwnerByHand
{
    [Fact]
    public void Placed_WithWorker_GrantsFirstAttempt()
    {
        JobOwner owner = Start();

        Do(owner, () => owner.Placed("w1", Now));

        var prepare = Effects.OfType<OwnerEffect.Prepare>().ShouldHaveSingleItem();
        prepare.Attempt.ShouldBe(new Attempt(1, "w1", "n1"));
        prepare.Resume.ShouldBeEmpty();
        Effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.ShouldBe(prepare.Attempt);
    }

    [Fact]
    public void Answered_Accepted_EmitsAcceptedOnce()
    {
        JobOwner owner = Offered();

        Do(owner, () => owner.Answered("w1", "n1", accepted: true, Now));
        Do(owner, () => owner.Answered("w1", "n1", accepted: true, Now));

        Outputs.ShouldBe([new JobOutput.Accepted("w1")]);
    }

    [Fact]
    public void Answered_Refused_PlacesElsewhereAndThenQueues()
    {
        JobOwner owner = Offered();

        for (int push = 1; push <= Options.MaxPushes; push++)
        {
            Do(owner, () => owner.Answered($"w{push}", $"n{push}", accepted: false, Now));
            if (push < Options.MaxPushes)
            {
                Effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldContain($"w{push}");
                Do(owner, () => owner.Placed($"w{push + 1}", Now));
            }
        }

        Effects.OfType<OwnerEffect.Enqueue>().ShouldHaveSingleItem();
        owner.IsWaiting.ShouldBeTrue();
    }

    [Fact]
    public void Received_WithoutAnswer_CountsAsAcceptance()
    {
        JobOwner owner = Offered();

        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "hello"), Now));

        Outputs.First().ShouldBe(new JobOutput.Accepted("w1"));
        Text.ShouldBe("hello");
    }

    [Fact]
    public void Received_OutOfOrderAndDoubled_EmitsEachTokenOnceInOrder()
    {
        JobOwner owner = Running();

        foreach (Chunk chunk in (Chunk[])[Chunk(2, "c", "d"), Chunk(0, "a"), Chunk(0, "a", "b"), Chunk(1, "b", "c"), Chunk(2, "c", "d")])
            Do(owner, () => owner.Received("w1", "n1", chunk, Now));

        Text.ShouldBe("abcd");
    }

    [Fact]
    public void Received_Gap_AsksAgainButNotAtOnceTwice()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w1", "n1", Chunk(3, "d"), Now));
        Do(owner, () => owner.Received("w1", "n1", Chunk(4, "e"), Now));
        Effects.OfType<OwnerEffect.Acknowledge>().ShouldHaveSingleItem().Ack.ShouldBe(new("n1", 0, Missing: true));

        Tick(owner, Options.GapAsk);
        Effects.OfType<OwnerEffect.Acknowledge>().Count().ShouldBe(2);
    }

    [Fact]
    public void Received_OfAnotherAttempt_IsIgnoredAndStopped()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w9", "stale", Chunk(0, "zombie"), Now));

        Text.ShouldBeEmpty();
        Effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem().ShouldBe(new OwnerEffect.Stop("w9", "stale"));
    }

    [Fact]
    public void Received_Malformed_GivesTheAttemptUp()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "abc") with { Lengths = [17] }, Now));

        Text.ShouldBeEmpty();
        Effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldContain("w1");
    }

    [Fact]
    public void Received_End_FinishesWithTheWorkersFigures()
    {
        JobOwner owner = Running();
        var start = new AttemptStart(7, 3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        var end = new AttemptEnd { Reason = EndReason.Stop, EvalDuration = TimeSpan.FromSeconds(3) };

        Now += TimeSpan.FromSeconds(9);
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a", "b") with { Start = start, End = end }, Now));

        var finished = Outputs.Last().ShouldBeOfType<JobOutput.Finished>();
        (finished.Reason, finished.StoppedBy).ShouldBe((FinishReason.Stop, null));
        finished.Statistics.ShouldBe(new JobStatistics
        {
            TotalDuration = TimeSpan.FromSeconds(9),
            LoadDuration = TimeSpan.FromSeconds(1),
            PromptTokens = 7,
            CachedTokens = 3,
            PromptDuration = TimeSpan.FromSeconds(2),
            Tokens = 2,
            EvalDuration = TimeSpan.FromSeconds(3),
            Attempts = 1,
        });
        Effects.OfType<OwnerEffect.Acknowledge>().Last().Ack.Ended.ShouldBeTrue();
        owner.HasEnded.ShouldBeTrue();
    }

    [Fact]
    public void Received_StopString_EndsAndStopsTheWorker()
    {
        JobOwner owner = Running(stop: ["END"]);

        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "text E", "N", "D more"), Now));

        Text.ShouldBe("text ");
        var finished = Outputs.Last().ShouldBeOfType<JobOutput.Finished>();
        finished.Statistics.Tokens.ShouldBe(3);
        finished.StoppedBy.ShouldBe("END");
        Effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem().Nonce.ShouldBe("n1");
    }

    [Theory]
    [InlineData(EndReason.HandedBack)]
    [InlineData(EndReason.Failed)]
    public void Received_EndThatAnotherWorkerCanMend_ContinuesFromTheLastToken(EndReason reason)
    {
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a", "b"), Now));

        Do(owner, () => owner.Received("w1", "n1", Chunk(2) with { End = new AttemptEnd { Reason = reason, Error = "why" } }, Now));
        Do(owner, () => owner.Placed("w2", Now));
        var prepare = Effects.OfType<OwnerEffect.Prepare>().Last();
        prepare.Attempt.Number.ShouldBe(2);
        prepare.Resume.ShouldBe([97, 98]);

        Do(owner, () => owner.Received("w2", "n2", Chunk(2, "c") with { End = new AttemptEnd { Reason = EndReason.Stop } }, Now));
        Text.ShouldBe("abc");
        Outputs.Last().ShouldBeOfType<JobOutput.Finished>().Statistics.Attempts.ShouldBe(2);
    }

    [Theory]
    [InlineData(EndReason.HandedBack, null, "worker w1 left")]
    [InlineData(EndReason.HandedBack, "storage did not give it the job", "storage did not give it the job")]
    [InlineData(EndReason.Failed, "the stream was cut", "the stream was cut")]
    public void Received_EndInAnAnswerThatCannotBeContinued_FailsAndSaysWhy(EndReason reason, string? why, string said)
    {
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Forwarded(0, "a", "b"), Now));

        Do(owner, () => owner.Received("w1", "n1", Chunk(2) with { End = new AttemptEnd { Reason = reason, Error = why } }, Now));

        JobError error = Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error;
        error.Kind.ShouldBe(JobErrorKind.Failed);
        error.Message.ShouldContain(said);
        Effects.OfType<OwnerEffect.Place>().Count().ShouldBe(1, "the first placement alone");
    }

    [Fact]
    public void Tick_SilentWorkerInAnAnswerThatCannotBeContinued_FailsAndStops()
    {
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Forwarded(0, "a"), Now));

        Tick(owner, Options.SilenceTimeout);

        Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error.Message.ShouldContain("worker w1 fell silent");
        Effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem();
        owner.HasEnded.ShouldBeTrue();
    }

    [Fact]
    public void Received_FailedBeforeTheFirstPiece_IsTriedElsewhere()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w1", "n1", Chunk(0) with { End = new AttemptEnd { Reason = EndReason.Failed, Error = "refused" } }, Now));
        Do(owner, () => owner.Placed("w2", Now));
        Do(owner, () => owner.Received("w2", "n2", Forwarded(0, "a") with { End = new AttemptEnd { Reason = EndReason.Stop } }, Now));

        Text.ShouldBe("a");
        Outputs.Last().ShouldBeOfType<JobOutput.Finished>().Statistics.Attempts.ShouldBe(2);
    }

    [Fact]
    public void Received_EndWithTheServersFigures_TheseCount()
    {
        JobOwner owner = Running();
        var end = new AttemptEnd { Reason = EndReason.Length, Tokens = 17, Start = new AttemptStart(5, 0, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)) };

        Do(owner, () => owner.Received("w1", "n1", Forwarded(0, "a") with { Start = new AttemptStart(0, 0, default, default), End = end }, Now));

        JobStatistics figures = Outputs.Last().ShouldBeOfType<JobOutput.Finished>().Statistics;
        (figures.Tokens, figures.PromptTokens, figures.LoadDuration, figures.PromptDuration).ShouldBe((17, 5, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public void Received_FailedTooOften_FailsWithTheLastReason()
    {
        JobOwner owner = Offered();
        for (int attempt = 1; attempt <= Options.MaxFailures; attempt++)
        {
            var end = new AttemptEnd { Reason = EndReason.Failed, Error = $"reason {attempt}" };
            string worker = owner.Attempt!.WorkerId, nonce = owner.Attempt.Nonce;
            Do(owner, () => owner.Received(worker, nonce, Chunk(0) with { End = end }, Now));
            if (Effects[^1] is OwnerEffect.Place)
                Do(owner, () => owner.Placed($"w{attempt + 1}", Now));
        }

        var failed = Outputs.Last().ShouldBeOfType<JobOutput.Failed>();
        failed.Error.Kind.ShouldBe(JobErrorKind.Failed);
        failed.Error.Message.ShouldContain($"reason {Options.MaxFailures}");
        OwnerEffect.SetAside setAside = Effects.OfType<OwnerEffect.SetAside>().ShouldHaveSingleItem();
        setAside.Error.ShouldBe(failed.Error);
        setAside.History.Select(past => (past.Number, past.WorkerId, past.Kind, past.Reason)).ShouldBe(
            [(1, "w1", AttemptFailure.Failed, "reason 1"), (2, "w2", AttemptFailure.Failed, "reason 2"), (3, "w3", AttemptFailure.Failed, "reason 3")]);
    }

    [Fact]
    public void Received_TwoCrashesTheLastWithoutAToken_IsSetAside()
    {
        JobOwner owner = Offered();
        var crash = new AttemptEnd { Reason = EndReason.Failed, Error = "signal 6", Crashed = true };
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a") with { End = crash }, Now));
        Do(owner, () => owner.Placed("w2", Now));

        Do(owner, () => owner.Received("w2", "n2", Chunk(1) with { End = crash }, Now));

        owner.HasEnded.ShouldBeTrue();
        Effects.OfType<OwnerEffect.SetAside>().Single().History.Select(past => (past.Kind, past.From, past.To)).ShouldBe(
            [(AttemptFailure.Crashed, 0, 1), (AttemptFailure.Crashed, 1, 1)]);
        Effects.OfType<OwnerEffect.AttemptFailed>().Select(over => over.Attempt).ShouldBe(Effects.OfType<OwnerEffect.SetAside>().Single().History);
        Effects.OfType<OwnerEffect.Stop>().ShouldBeEmpty();
    }

    [Fact]
    public void Tick_GrantUnanswered_IsSentAgainThenTakenBackAndTheWorkerSuspected()
    {
        JobOwner owner = Offered();

        Tick(owner, Options.GrantResend);
        Effects.OfType<OwnerEffect.Grant>().Count().ShouldBe(2);
        Effects.OfType<OwnerEffect.Grant>().Select(grant => grant.Attempt).Distinct().ShouldHaveSingleItem();

        Tick(owner, Options.GrantTimeout);
        Effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem().WorkerId.ShouldBe("w1");
        Effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem().Nonce.ShouldBe("n1");

        Do(owner, () => owner.Answered("w1", "n1", accepted: true, Now));
        Effects.OfType<OwnerEffect.Stop>().Count().ShouldBe(2, "a late acceptance is told to stop");
        Outputs.ShouldBeEmpty();
    }

    [Fact]
    public void Tick_SilentWorker_IsTakenOverUnlessTheEdgeItselfIsDeaf()
    {
        JobOwner owner = Running();

        Now += Options.SilenceTimeout;
        Do(owner, () => owner.Tick(Now, silenceTimeout: null));
        Effects.OfType<OwnerEffect.Place>().Count().ShouldBe(1, "the first placement alone");

        Tick(owner, Options.SilenceTimeout);
        Effects.OfType<OwnerEffect.Place>().Count().ShouldBe(2);
        Effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem().WorkerId.ShouldBe("w1");
    }

    [Fact]
    public void Tick_EngineStandsStillThoughTheWorkerSpeaks_IsTakenOver()
    {
        JobOwner owner = Running();

        for (TimeSpan since = TimeSpan.Zero; since < Options.StallTimeout; since += TimeSpan.FromSeconds(1))
        {
            Effects.OfType<OwnerEffect.Suspect>().ShouldBeEmpty();
            Do(owner, () => owner.Alive("w1", "n1", steps: 17, Now));
            Tick(owner, TimeSpan.FromSeconds(1));
        }

        Effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem().WorkerId.ShouldBe("w1");
        Effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldContain("w1");
    }

    [Fact]
    public void Tick_EngineStepsOrHasNothingToCount_GoesOn()
    {
        JobOwner owner = Running();

        for (int second = 0; second < 55; second++)
        {
            Do(owner, () => owner.Alive("w1", "n1", second < 30 ? null : second, Now));
            Tick(owner, TimeSpan.FromSeconds(1));
        }

        Effects.OfType<OwnerEffect.Suspect>().ShouldBeEmpty();
    }

    [Fact]
    public void Tick_LostAgainAndAgain_FailsInTheEnd()
    {
        JobOwner owner = Offered();
        for (int attempt = 1; !owner.HasEnded; attempt++)
        {
            attempt.ShouldBeLessThanOrEqualTo(Options.MaxLosses);
            string worker = owner.Attempt!.WorkerId, nonce = owner.Attempt.Nonce;
            Do(owner, () => owner.Alive(worker, nonce, steps: null, Now));
            Tick(owner, Options.SilenceTimeout);
            if (Effects[^1] is OwnerEffect.Place)
                Do(owner, () => owner.Placed($"w{attempt + 1}", Now));
            else if (Effects[^1] is OwnerEffect.Enqueue)
                Do(owner, () => owner.Claimed($"w{attempt + 1}", "m", "r", Now));
        }

        Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error.Message.ShouldContain($"{Options.MaxLosses} attempts");
    }

    [Fact]
    public void Tick_PastTheDeadline_FailsAndStops()
    {
        JobOwner owner = Running();

        Tick(owner, TimeSpan.FromMinutes(1));

        Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error.Kind.ShouldBe(JobErrorKind.DeadlineExceeded);
        Effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem();
    }

    [Fact]
    public void Cancel_Running_StopsTheWorkerAndEndsOnce()
    {
        JobOwner owner = Running();

        Do(owner, owner.Cancel);
        Do(owner, owner.Cancel);

        Effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem();
        Outputs.OfType<JobOutput.Failed>().ShouldHaveSingleItem().Error.Kind.ShouldBe(JobErrorKind.Cancelled);
    }
}
