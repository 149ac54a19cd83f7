using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Core.Tests.Jobs.Owning;

public sealed class JobOwnerTests
{
    private static readonly OwnerOptions Options = new();
    private readonly List<OwnerEffect> _effects = [];
    private int _nonces;
    private TimeSpan _now;

    private string Text => string.Concat(Outputs.OfType<JobOutput.Delta>().Select(delta => delta.Text));

    private IEnumerable<JobOutput> Outputs => _effects.OfType<OwnerEffect.Emit>().Select(emit => emit.Output);

    [Fact]
    public void Placed_WithWorker_GrantsFirstAttempt()
    {
        JobOwner owner = Start();

        Do(owner, () => owner.Placed("w1", _now));

        var grant = _effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem();
        grant.Attempt.ShouldBe(new Attempt(1, "w1", "n1"));
        grant.Resume.ShouldBeEmpty();
    }

    [Fact]
    public void Answered_Accepted_EmitsAcceptedOnce()
    {
        JobOwner owner = Offered();

        Do(owner, () => owner.Answered("w1", "n1", accepted: true, _now));
        Do(owner, () => owner.Answered("w1", "n1", accepted: true, _now));

        Outputs.ShouldBe([new JobOutput.Accepted("w1")]);
    }

    [Fact]
    public void Answered_Refused_PlacesElsewhereAndThenQueues()
    {
        JobOwner owner = Offered();

        for (int push = 1; push <= Options.MaxPushes; push++)
        {
            Do(owner, () => owner.Answered($"w{push}", $"n{push}", accepted: false, _now));
            if (push < Options.MaxPushes)
            {
                _effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldContain($"w{push}");
                Do(owner, () => owner.Placed($"w{push + 1}", _now));
            }
        }

        _effects.OfType<OwnerEffect.Enqueue>().ShouldHaveSingleItem();
        owner.IsWaiting.ShouldBeTrue();
    }

    [Fact]
    public void Received_WithoutAnswer_CountsAsAcceptance()
    {
        JobOwner owner = Offered();

        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "hello"), _now));

        Outputs.First().ShouldBe(new JobOutput.Accepted("w1"));
        Text.ShouldBe("hello");
    }

    [Fact]
    public void Received_OutOfOrderAndDoubled_EmitsEachTokenOnceInOrder()
    {
        JobOwner owner = Running();

        foreach (Chunk chunk in (Chunk[])[Chunk(2, "c", "d"), Chunk(0, "a"), Chunk(0, "a", "b"), Chunk(1, "b", "c"), Chunk(2, "c", "d")])
            Do(owner, () => owner.Received("w1", "n1", chunk, _now));

        Text.ShouldBe("abcd");
    }

    [Fact]
    public void Received_Gap_AsksAgainButNotAtOnceTwice()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w1", "n1", Chunk(3, "d"), _now));
        Do(owner, () => owner.Received("w1", "n1", Chunk(4, "e"), _now));
        _effects.OfType<OwnerEffect.Acknowledge>().ShouldHaveSingleItem().Ack.ShouldBe(new("n1", 0, Missing: true));

        Tick(owner, Options.GapAsk);
        _effects.OfType<OwnerEffect.Acknowledge>().Count().ShouldBe(2);
    }

    [Fact]
    public void Received_OfAnotherAttempt_IsIgnoredAndStopped()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w9", "stale", Chunk(0, "zombie"), _now));

        Text.ShouldBeEmpty();
        _effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem().ShouldBe(new OwnerEffect.Stop("w9", "stale"));
    }

    [Fact]
    public void Received_Malformed_GivesTheAttemptUp()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "abc") with { Lengths = [17] }, _now));

        Text.ShouldBeEmpty();
        _effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldContain("w1");
    }

    [Fact]
    public void Received_End_FinishesWithTheWorkersFigures()
    {
        JobOwner owner = Running();
        var start = new AttemptStart(7, 3, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        var end = new AttemptEnd { Reason = EndReason.Stop, EvalDuration = TimeSpan.FromSeconds(3) };

        _now += TimeSpan.FromSeconds(9);
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a", "b") with { Start = start, End = end }, _now));

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
        _effects.OfType<OwnerEffect.Acknowledge>().Last().Ack.Ended.ShouldBeTrue();
        owner.HasEnded.ShouldBeTrue();
    }

    [Fact]
    public void Received_StopString_EndsAndStopsTheWorker()
    {
        JobOwner owner = Running(stop: ["END"]);

        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "text E", "N", "D more"), _now));

        Text.ShouldBe("text ");
        var finished = Outputs.Last().ShouldBeOfType<JobOutput.Finished>();
        finished.Statistics.Tokens.ShouldBe(3);
        finished.StoppedBy.ShouldBe("END");
        _effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem().Nonce.ShouldBe("n1");
    }

    [Theory]
    [InlineData(EndReason.HandedBack)]
    [InlineData(EndReason.Failed)]
    public void Received_EndThatAnotherWorkerCanMend_ContinuesFromTheLastToken(EndReason reason)
    {
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a", "b"), _now));

        Do(owner, () => owner.Received("w1", "n1", Chunk(2) with { End = new AttemptEnd { Reason = reason, Error = "why" } }, _now));
        Do(owner, () => owner.Placed("w2", _now));
        var grant = _effects.OfType<OwnerEffect.Grant>().Last();
        grant.Attempt.Number.ShouldBe(2);
        grant.Resume.ShouldBe([97, 98]);

        Do(owner, () => owner.Received("w2", "n2", Chunk(2, "c") with { End = new AttemptEnd { Reason = EndReason.Stop } }, _now));
        Text.ShouldBe("abc");
        Outputs.Last().ShouldBeOfType<JobOutput.Finished>().Statistics.Attempts.ShouldBe(2);
    }

    [Theory]
    [InlineData(EndReason.HandedBack)]
    [InlineData(EndReason.Failed)]
    public void Received_EndInAnAnswerThatCannotBeContinued_FailsAndSaysWhy(EndReason reason)
    {
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Forwarded(0, "a", "b"), _now));

        Do(owner, () => owner.Received("w1", "n1", Chunk(2) with { End = new AttemptEnd { Reason = reason, Error = "the stream was cut" } }, _now));

        JobError error = Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error;
        error.Kind.ShouldBe(JobErrorKind.Failed);
        error.Message.ShouldContain(reason == EndReason.Failed ? "the stream was cut" : "worker w1 left");
        _effects.OfType<OwnerEffect.Place>().Count().ShouldBe(1, "the first placement alone");
    }

    [Fact]
    public void Tick_SilentWorkerInAnAnswerThatCannotBeContinued_FailsAndStops()
    {
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Forwarded(0, "a"), _now));

        Tick(owner, Options.SilenceTimeout);

        Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error.Message.ShouldContain("worker w1 fell silent");
        _effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem();
        owner.HasEnded.ShouldBeTrue();
    }

    [Fact]
    public void Received_FailedBeforeTheFirstPiece_IsTriedElsewhere()
    {
        JobOwner owner = Running();

        Do(owner, () => owner.Received("w1", "n1", Chunk(0) with { End = new AttemptEnd { Reason = EndReason.Failed, Error = "refused" } }, _now));
        Do(owner, () => owner.Placed("w2", _now));
        Do(owner, () => owner.Received("w2", "n2", Forwarded(0, "a") with { End = new AttemptEnd { Reason = EndReason.Stop } }, _now));

        Text.ShouldBe("a");
        Outputs.Last().ShouldBeOfType<JobOutput.Finished>().Statistics.Attempts.ShouldBe(2);
    }

    [Fact]
    public void Received_EndWithTheServersFigures_TheseCount()
    {
        JobOwner owner = Running();
        var end = new AttemptEnd { Reason = EndReason.Length, Tokens = 17, Start = new AttemptStart(5, 0, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)) };

        Do(owner, () => owner.Received("w1", "n1", Forwarded(0, "a") with { Start = new AttemptStart(0, 0, default, default), End = end }, _now));

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
            Do(owner, () => owner.Received(worker, nonce, Chunk(0) with { End = end }, _now));
            if (_effects[^1] is OwnerEffect.Place)
                Do(owner, () => owner.Placed($"w{attempt + 1}", _now));
        }

        var failed = Outputs.Last().ShouldBeOfType<JobOutput.Failed>();
        failed.Error.Kind.ShouldBe(JobErrorKind.Failed);
        failed.Error.Message.ShouldContain($"reason {Options.MaxFailures}");
        OwnerEffect.SetAside setAside = _effects.OfType<OwnerEffect.SetAside>().ShouldHaveSingleItem();
        setAside.Error.ShouldBe(failed.Error);
        setAside.History.Select(past => (past.Number, past.WorkerId, past.Kind, past.Reason)).ShouldBe(
            [(1, "w1", AttemptFailure.Failed, "reason 1"), (2, "w2", AttemptFailure.Failed, "reason 2"), (3, "w3", AttemptFailure.Failed, "reason 3")]);
    }

    [Fact]
    public void Received_TwoCrashesTheLastWithoutAToken_IsSetAside()
    {
        JobOwner owner = Offered();
        var crash = new AttemptEnd { Reason = EndReason.Failed, Error = "signal 6", Crashed = true };
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a") with { End = crash }, _now));
        Do(owner, () => owner.Placed("w2", _now));

        Do(owner, () => owner.Received("w2", "n2", Chunk(1) with { End = crash }, _now));

        owner.HasEnded.ShouldBeTrue();
        _effects.OfType<OwnerEffect.SetAside>().Single().History.Select(past => (past.Kind, past.From, past.To)).ShouldBe(
            [(AttemptFailure.Crashed, 0, 1), (AttemptFailure.Crashed, 1, 1)]);
        _effects.OfType<OwnerEffect.Stop>().ShouldBeEmpty();
    }

    [Fact]
    public void Tick_GrantUnanswered_IsSentAgainThenTakenBackAndTheWorkerSuspected()
    {
        JobOwner owner = Offered();

        Tick(owner, Options.GrantResend);
        _effects.OfType<OwnerEffect.Grant>().Count().ShouldBe(2);
        _effects.OfType<OwnerEffect.Grant>().Select(grant => grant.Attempt).Distinct().ShouldHaveSingleItem();

        Tick(owner, Options.GrantTimeout);
        _effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem().WorkerId.ShouldBe("w1");
        _effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem().Nonce.ShouldBe("n1");

        Do(owner, () => owner.Answered("w1", "n1", accepted: true, _now));
        _effects.OfType<OwnerEffect.Stop>().Count().ShouldBe(2, "a late acceptance is told to stop");
        Outputs.ShouldBeEmpty();
    }

    [Fact]
    public void Tick_SilentWorker_IsTakenOverUnlessTheEdgeItselfIsDeaf()
    {
        JobOwner owner = Running();

        _now += Options.SilenceTimeout;
        Do(owner, () => owner.Tick(_now, silenceTimeout: null));
        _effects.OfType<OwnerEffect.Place>().Count().ShouldBe(1, "the first placement alone");

        Tick(owner, Options.SilenceTimeout);
        _effects.OfType<OwnerEffect.Place>().Count().ShouldBe(2);
        _effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem().WorkerId.ShouldBe("w1");
    }

    [Fact]
    public void Tick_EngineStandsStillThoughTheWorkerSpeaks_IsTakenOver()
    {
        JobOwner owner = Running();

        for (TimeSpan since = TimeSpan.Zero; since < Options.StallTimeout; since += TimeSpan.FromSeconds(1))
        {
            _effects.OfType<OwnerEffect.Suspect>().ShouldBeEmpty();
            Do(owner, () => owner.Alive("w1", "n1", steps: 17, _now));
            Tick(owner, TimeSpan.FromSeconds(1));
        }

        _effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem().WorkerId.ShouldBe("w1");
        _effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldContain("w1");
    }

    [Fact]
    public void Tick_EngineStepsOrHasNothingToCount_GoesOn()
    {
        JobOwner owner = Running();

        for (int second = 0; second < 55; second++)
        {
            Do(owner, () => owner.Alive("w1", "n1", second < 30 ? null : second, _now));
            Tick(owner, TimeSpan.FromSeconds(1));
        }

        _effects.OfType<OwnerEffect.Suspect>().ShouldBeEmpty();
    }

    [Fact]
    public void Tick_LostAgainAndAgain_FailsInTheEnd()
    {
        JobOwner owner = Offered();
        for (int attempt = 1; !owner.HasEnded; attempt++)
        {
            attempt.ShouldBeLessThanOrEqualTo(Options.MaxLosses);
            string worker = owner.Attempt!.WorkerId, nonce = owner.Attempt.Nonce;
            Do(owner, () => owner.Alive(worker, nonce, steps: null, _now));
            Tick(owner, Options.SilenceTimeout);
            if (_effects[^1] is OwnerEffect.Place)
                Do(owner, () => owner.Placed($"w{attempt + 1}", _now));
            else if (_effects[^1] is OwnerEffect.Enqueue)
                Do(owner, () => owner.Claimed($"w{attempt + 1}", "m", "r", _now));
        }

        Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error.Message.ShouldContain($"{Options.MaxLosses} attempts");
    }

    [Fact]
    public void Tick_PastTheDeadline_FailsAndStops()
    {
        JobOwner owner = Running();

        Tick(owner, TimeSpan.FromMinutes(1));

        Outputs.Last().ShouldBeOfType<JobOutput.Failed>().Error.Kind.ShouldBe(JobErrorKind.DeadlineExceeded);
        _effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem();
    }

    [Fact]
    public void Tick_Queued_NudgesLessAndLessOften()
    {
        JobOwner owner = Queued();
        List<TimeSpan> nudges = [];
        for (int i = 0; i < 400; i++)
        {
            int before = _effects.OfType<OwnerEffect.Nudge>().Count();
            Tick(owner, TimeSpan.FromMilliseconds(100));
            if (_effects.OfType<OwnerEffect.Nudge>().Count() > before)
                nudges.Add(_now);
        }

        nudges.Count.ShouldBeInRange(6, 12);
        (nudges[^1] - nudges[^2]).ShouldBeInRange(Options.NudgeLongest, Options.NudgeLongest + TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void Claimed_Queued_GrantsAndDeletesTheMessageWithTheClaimsReceipt()
    {
        JobOwner owner = Queued();

        Do(owner, () => owner.Claimed("w5", "m1", "claimed-receipt", _now));

        _effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w5");
        _effects.OfType<OwnerEffect.DeleteMessage>().ShouldHaveSingleItem().ShouldBe(new OwnerEffect.DeleteMessage("m1", "claimed-receipt"));
    }

    [Fact]
    public void Claimed_TwoWorkersHoldTheMessage_OneIsGrantedTheOtherDenied()
    {
        JobOwner owner = Queued();

        Do(owner, () => owner.Claimed("w5", "m1", "r1", _now));
        Do(owner, () => owner.Claimed("w6", "m1", "r2", _now));

        _effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w5");
        _effects.OfType<OwnerEffect.Deny>().ShouldHaveSingleItem().WorkerId.ShouldBe("w6");
    }

    [Fact]
    public void Claimed_AgainByTheGrantedWorker_RepeatsTheSameGrant()
    {
        JobOwner owner = Queued();

        Do(owner, () => owner.Claimed("w5", "m1", "r1", _now));
        Do(owner, () => owner.Claimed("w5", "m1", "r1", _now));

        _effects.OfType<OwnerEffect.Grant>().Select(grant => grant.Attempt).Distinct().ShouldHaveSingleItem();
        _effects.OfType<OwnerEffect.Deny>().ShouldBeEmpty();
    }

    [Fact]
    public void Claimed_SecondMessageOfTheSameJob_IsDeniedToTheWorkerThatRunsIt()
    {
        JobOwner owner = Queued();
        Do(owner, () => owner.Claimed("w5", "m1", "r1", _now));
        Do(owner, () => owner.Answered("w5", "n1", accepted: true, _now));

        Do(owner, () => owner.Claimed("w5", "m2", "r2", _now));

        _effects.OfType<OwnerEffect.Deny>().ShouldHaveSingleItem();
        _effects.OfType<OwnerEffect.DeleteMessage>().Last().ShouldBe(new OwnerEffect.DeleteMessage("m2", "r2"));
        owner.Attempt.ShouldNotBeNull();
    }

    [Fact]
    public void Claimed_AfterTheEnd_IsDeniedAndTheMessageDeleted()
    {
        JobOwner owner = Queued();
        Do(owner, owner.Cancel);

        Do(owner, () => owner.Claimed("w5", "m1", "r1", _now));

        _effects.OfType<OwnerEffect.Deny>().ShouldHaveSingleItem();
        _effects.OfType<OwnerEffect.DeleteMessage>().Select(delete => delete.PopReceipt).ShouldBe(["put-receipt", "r1"]);
    }

    [Fact]
    public void Placed_WhileTheMessageIsOnItsWay_GrantsAndTakesTheMessageBack()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, _now));

        Do(owner, () => owner.Placed("w1", _now));
        Do(owner, () => owner.Enqueued("m1", "put-receipt", _now));

        owner.IsWaiting.ShouldBeFalse();
        _effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w1");
        _effects.OfType<OwnerEffect.DeleteMessage>().ShouldHaveSingleItem().MessageId.ShouldBe("m1");
    }

    [Fact]
    public void Placed_NobodyWhileTheMessageIsOnItsWay_IsNotPutAgain()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, _now));

        Do(owner, () => owner.Placed(null, _now));

        _effects.OfType<OwnerEffect.Enqueue>().ShouldHaveSingleItem();
    }

    [Fact]
    public void Enqueued_AfterTheEnd_DeletesTheMessage()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, _now));
        Do(owner, owner.Cancel);

        Do(owner, () => owner.Enqueued("m1", "put-receipt", _now));

        _effects.OfType<OwnerEffect.DeleteMessage>().ShouldHaveSingleItem();
        _effects.OfType<OwnerEffect.Nudge>().ShouldBeEmpty();
    }

    [Fact]
    public void Cancel_Running_StopsTheWorkerAndEndsOnce()
    {
        JobOwner owner = Running();

        Do(owner, owner.Cancel);
        Do(owner, owner.Cancel);

        _effects.OfType<OwnerEffect.Stop>().ShouldHaveSingleItem();
        Outputs.OfType<JobOutput.Failed>().ShouldHaveSingleItem().Error.Kind.ShouldBe(JobErrorKind.Cancelled);
    }

    private JobOwner Start(IReadOnlyList<string>? stop = null)
    {
        var job = new Job
        {
            Id = "job",
            RequestId = "request",
            Tenant = "tenant",
            Model = "sha256:" + new string('0', 64),
            Prompt = "prompt",
            Options = new InferenceOptions(),
            Seed = 1,
            Stop = stop ?? [],
            Deadline = TimeSpan.FromMinutes(1),
        };
        var owner = new JobOwner(job, Options, () => $"n{++_nonces}", _now);
        Do(owner, owner.Start);
        return owner;
    }

    private JobOwner Offered(IReadOnlyList<string>? stop = null)
    {
        JobOwner owner = Start(stop);
        Do(owner, () => owner.Placed("w1", _now));
        return owner;
    }

    private JobOwner Running(IReadOnlyList<string>? stop = null)
    {
        JobOwner owner = Offered(stop);
        Do(owner, () => owner.Answered("w1", "n1", accepted: true, _now));
        return owner;
    }

    private JobOwner Queued()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, _now));
        Do(owner, () => owner.Enqueued("m1", "put-receipt", _now));
        return owner;
    }

    private void Tick(JobOwner owner, TimeSpan passed)
    {
        _now += passed;
        Do(owner, () => owner.Tick(_now, Options.SilenceTimeout));
    }

    private void Do(JobOwner owner, Action happening)
    {
        happening();
        _effects.AddRange(owner.TakeEffects());
    }

    /// <summary>The same, as a server gives it: without ids.</summary>
    private static Chunk Forwarded(int index, params string[] pieces) =>
        Chunk(index, pieces) with { Tokens = [.. pieces.Select(_ => PieceKind.Text)] };

    /// <summary>A chunk of one token a piece; a token's id is its first character.</summary>
    private static Chunk Chunk(int index, params string[] pieces) => new(
        index,
        [.. pieces.Select(piece => (int)piece[0])],
        [.. pieces.Select(piece => Encoding.UTF8.GetByteCount(piece))],
        Encoding.UTF8.GetBytes(string.Concat(pieces)));
}
