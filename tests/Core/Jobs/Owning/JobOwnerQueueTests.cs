using OllamaMax.Jobs.Owning;

namespace OllamaMax.Core.Tests.Jobs.Owning;

/// <summary>A job that waits: its message, who claims it, and what becomes of it.</summary>
public sealed class JobOwnerQueueTests : OwnerByHand
{
    [Fact]
    public void Tick_Queued_NudgesLessAndLessOften()
    {
        JobOwner owner = Queued();
        List<TimeSpan> nudges = [];
        for (int i = 0; i < 400; i++)
        {
            int before = Effects.OfType<OwnerEffect.Nudge>().Count();
            Tick(owner, TimeSpan.FromMilliseconds(100));
            if (Effects.OfType<OwnerEffect.Nudge>().Count() > before)
                nudges.Add(Now);
        }

        nudges.Count.ShouldBeInRange(6, 12);
        (nudges[^1] - nudges[^2]).ShouldBeInRange(Options.NudgeLongest, Options.NudgeLongest + TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public void Claimed_Queued_GrantsAndDeletesTheMessageWithTheClaimsReceipt()
    {
        JobOwner owner = Queued();

        Do(owner, () => owner.Claimed("w5", "m1", "claimed-receipt", Now));

        Effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w5");
        Effects.OfType<OwnerEffect.DeleteMessage>().ShouldHaveSingleItem().ShouldBe(new OwnerEffect.DeleteMessage("m1", "claimed-receipt"));
    }

    [Fact]
    public void Claimed_TwoWorkersHoldTheMessage_OneIsGrantedTheOtherDenied()
    {
        JobOwner owner = Queued();

        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));
        Do(owner, () => owner.Claimed("w6", "m1", "r2", Now));

        Effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w5");
        Effects.OfType<OwnerEffect.Deny>().ShouldHaveSingleItem().WorkerId.ShouldBe("w6");
    }

    [Fact]
    public void Claimed_AgainByTheGrantedWorker_RepeatsTheSameGrant()
    {
        JobOwner owner = Queued();

        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));
        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));

        Effects.OfType<OwnerEffect.Grant>().Select(grant => grant.Attempt).Distinct().ShouldHaveSingleItem();
        Effects.OfType<OwnerEffect.Deny>().ShouldBeEmpty();
    }

    [Fact]
    public void Claimed_SecondMessageOfTheSameJob_IsDeniedToTheWorkerThatRunsIt()
    {
        JobOwner owner = Queued();
        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));
        Do(owner, () => owner.Answered("w5", "n1", accepted: true, Now));

        Do(owner, () => owner.Claimed("w5", "m2", "r2", Now));

        Effects.OfType<OwnerEffect.Deny>().ShouldHaveSingleItem();
        Effects.OfType<OwnerEffect.DeleteMessage>().Last().ShouldBe(new OwnerEffect.DeleteMessage("m2", "r2"));
        owner.Attempt.ShouldNotBeNull();
    }

    [Fact]
    public void Claimed_AfterTheEnd_IsDeniedAndTheMessageDeleted()
    {
        JobOwner owner = Queued();
        Do(owner, owner.Cancel);

        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));

        Effects.OfType<OwnerEffect.Deny>().ShouldHaveSingleItem();
        Effects.OfType<OwnerEffect.DeleteMessage>().Select(delete => delete.PopReceipt).ShouldBe(["put-receipt", "r1"]);
    }

    [Fact]
    public void Placed_WhileTheMessageIsOnItsWay_GrantsAndTakesTheMessageBack()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, Now));

        Do(owner, () => owner.Placed("w1", Now));
        Do(owner, () => owner.Enqueued(owner.Put, "m1", "put-receipt", Now));

        owner.IsWaiting.ShouldBeFalse();
        Effects.OfType<OwnerEffect.Grant>().ShouldHaveSingleItem().Attempt.WorkerId.ShouldBe("w1");
        Effects.OfType<OwnerEffect.DeleteMessage>().ShouldHaveSingleItem().MessageId.ShouldBe("m1");
    }

    /// <summary>Its first message was denied and deleted while it ran, and storage's answer for that message comes late: the second one is what it waits with.</summary>
    [Fact]
    public void Enqueued_LateForAnEarlierTime_WaitsWithTheLastMessage()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, Now));
        int first = owner.Put;
        Do(owner, () => owner.Placed("w1", Now));
        Do(owner, () => owner.Claimed("w5", "m1", "r1", Now));
        Do(owner, () => owner.Answered("w1", "n1", accepted: false, Now));
        Do(owner, () => owner.Placed(null, Now));

        Do(owner, () => owner.Enqueued(first, "m1", "put-receipt", Now));
        Do(owner, () => owner.Enqueued(owner.Put, "m2", "second-receipt", Now));

        owner.IsWaiting.ShouldBeTrue();
        Effects.OfType<OwnerEffect.DeleteMessage>().Select(delete => delete.MessageId).ShouldBe(["m1", "m1"]);
    }

    [Fact]
    public void Placed_NobodyWhileTheMessageIsOnItsWay_IsNotPutAgain()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, Now));

        Do(owner, () => owner.Placed(null, Now));

        Effects.OfType<OwnerEffect.Enqueue>().ShouldHaveSingleItem();
    }

    [Fact]
    public void Enqueued_AfterTheEnd_DeletesTheMessage()
    {
        JobOwner owner = Start();
        Do(owner, () => owner.Placed(null, Now));
        Do(owner, owner.Cancel);

        Do(owner, () => owner.Enqueued(owner.Put, "m1", "put-receipt", Now));

        Effects.OfType<OwnerEffect.DeleteMessage>().ShouldHaveSingleItem();
        Effects.OfType<OwnerEffect.Nudge>().ShouldBeEmpty();
    }
}
