using OllamaMax.Jobs;
using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

/// <summary>A job whose grants take storage, and so time, to be made.</summary>
public sealed class JobOwnerPreparingTests : OwnerByHand
{
    private static readonly JobError NoStorage = new(JobErrorKind.Unavailable, "storage cannot be reached");

    public JobOwnerPreparingTests() => PreparesAtOnce = false;

    /// <summary>It was told nothing, and cannot have answered.</summary>
    [Fact]
    public void Tick_GrantIsNotReady_NeitherSendsItNorSuspectsTheWorker()
    {
        JobOwner owner = Offered();

        for (int i = 0; i < 5; i++)
            Tick(owner, Options.GrantTimeout);

        Effects.ShouldBe([Effects.OfType<OwnerEffect.Place>().Single(), Effects.OfType<OwnerEffect.Prepare>().Single()]);
        owner.Attempt.ShouldBeNull();
    }

    [Fact]
    public void Prepared_AfterAWhile_GrantsAndGivesTheWorkerItsWholeTime()
    {
        JobOwner owner = Offered();
        Tick(owner, 2 * Options.GrantTimeout);

        Do(owner, () => owner.Prepared("n1", Now));
        Tick(owner, Options.GrantTimeout - TimeSpan.FromMilliseconds(1));
        Effects.OfType<OwnerEffect.Grant>().Select(grant => grant.Attempt).Distinct().ShouldBe([new Attempt(1, "w1", "n1")]);
        Effects.OfType<OwnerEffect.Suspect>().ShouldBeEmpty();

        Tick(owner, TimeSpan.FromMilliseconds(1));
        Effects.OfType<OwnerEffect.Suspect>().ShouldHaveSingleItem();
    }

    [Fact]
    public void NotPrepared_ClientHasSeenNothing_FailsWithoutAWordToTheWorker()
    {
        JobOwner owner = Offered();

        Do(owner, () => owner.NotPrepared("n1", NoStorage));

        Outputs.ShouldBe([new JobOutput.Failed(NoStorage)]);
        Effects.Any(effect => effect is OwnerEffect.Suspect or OwnerEffect.Stop).ShouldBeFalse();
    }

    [Fact]
    public void NotPrepared_ClientHasSeenText_WaitsAndGoesOnFromThere()
    {
        PreparesAtOnce = true;
        JobOwner owner = Running();
        Do(owner, () => owner.Received("w1", "n1", Chunk(0, "a"), Now));
        PreparesAtOnce = false;
        Do(owner, () => owner.Received("w1", "n1", Chunk(1) with { End = new AttemptEnd { Reason = EndReason.HandedBack } }, Now));
        Do(owner, () => owner.Placed("w2", Now));

        Do(owner, () => owner.NotPrepared("n2", NoStorage));
        owner.IsQueueing.ShouldBeTrue();

        Do(owner, () => owner.Placed("w2", Now));
        Do(owner, () => owner.Prepared("n3", Now));
        Effects.OfType<OwnerEffect.Prepare>().Last().Resume.ShouldBe([97]);
        Effects.OfType<OwnerEffect.Grant>().Last().Attempt.WorkerId.ShouldBe("w2");
        Effects.OfType<OwnerEffect.Suspect>().ShouldBeEmpty();
    }

    [Fact]
    public void NotEntitled_OneWorker_PlacesElsewhere()
    {
        JobOwner owner = Offered();

        Do(owner, () => owner.NotEntitled("n1"));

        Effects.OfType<OwnerEffect.Place>().Last().Excluded.ShouldBe(["w1"]);
        Effects.Any(effect => effect is OwnerEffect.Suspect or OwnerEffect.Stop).ShouldBeFalse();
    }

    [Fact]
    public void Claimed_AgainWhileTheGrantIsNotReady_IsNeitherDeniedNorPreparedTwice()
    {
        JobOwner owner = Queued();
        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));

        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));
        Do(owner, () => owner.Prepared("n1", Now));

        Effects.OfType<OwnerEffect.Prepare>().ShouldHaveSingleItem();
        Effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w5");
        Effects.OfType<OwnerEffect.Deny>().ShouldBeEmpty();
    }

    [Fact]
    public void Prepared_AfterTheEnd_GrantsNothing()
    {
        JobOwner owner = Offered();
        Do(owner, owner.Cancel);

        Do(owner, () => owner.Prepared("n1", Now));

        Effects.OfType<OwnerEffect.Grant>().ShouldBeEmpty();
    }
}
