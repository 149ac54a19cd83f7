using OllamaMax.Workers.Attempts;

namespace OllamaMax.Core.Tests.Workers;

public sealed class SlotGateTests
{
    [Fact]
    public void Resize_ToMore_TheNewOnesAreFreeAtOnce()
    {
        SlotGate gate = Taken(1, of: 1);
        gate.TryTake().ShouldBeFalse();

        gate.Resize(3);

        (gate.Total, gate.Used, gate.Free).ShouldBe((3, 1, 2));
        gate.TryTake().ShouldBeTrue();
        gate.TryTake().ShouldBeTrue();
        gate.TryTake().ShouldBeFalse();
    }

    [Fact]
    public void Resize_ToFewerThanAreTaken_WhoHoldsOneKeepsItAndNobodyGetsOneUntilThereIsRoom()
    {
        SlotGate gate = Taken(3, of: 4);

        gate.Resize(2);

        (gate.Total, gate.Used, gate.Free).ShouldBe((2, 3, -1));
        gate.TryTake().ShouldBeFalse();
        gate.Release();
        gate.TryTake().ShouldBeFalse();
        gate.Release();
        gate.TryTake().ShouldBeTrue();
        gate.Used.ShouldBe(2);
    }

    [Fact]
    public void Resize_ThereAndBack_EachSlotIsReleasedOnce()
    {
        SlotGate gate = Taken(4, of: 4);
        gate.Resize(1);
        gate.Resize(4);

        for (int i = 0; i < 4; i++)
            gate.Release();

        (gate.Used, gate.Free).ShouldBe((0, 4));
        Should.Throw<InvalidOperationException>(gate.Release);
    }

    [Fact]
    public void Resize_WhileOthersTakeAndRelease_NeverMoreThanTheMostThereWere()
    {
        const int Most = 2, Rounds = 20_000;
        SlotGate gate = new(Most);
        int held = 0, most = 0;

        Parallel.For(0, 4, worker =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                if (worker == 0)
                    gate.Resize(1 + (i % Most));
                if (!gate.TryTake())
                    continue;
                int now = Interlocked.Increment(ref held);
                InterlockedMax(ref most, now);
                Interlocked.Decrement(ref held);
                gate.Release();
            }
        });

        most.ShouldBeInRange(1, Most);
        gate.Used.ShouldBe(0);
    }

    private static SlotGate Taken(int slots, int of)
    {
        SlotGate gate = new(of);
        for (int i = 0; i < slots; i++)
            gate.TryTake().ShouldBeTrue();
        return gate;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int before;
        while ((before = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, before) != before)
        {
            // Somebody else was in between: looked at again.
        }
    }
}
