using CsCheck;
using OllamaMax.Placement;

namespace OllamaMax.Core.Tests.Placement;

public sealed class FairQueueTests
{
    private static readonly string[] Names = ["a", "b", "c", "d"];

    private static readonly double[] PossibleWeights = [0.5, 1, 2, 3, 7];

    private static readonly Gen<double[]> Weights = Gen.Int[0, 4].Select(i => PossibleWeights[i]).Array[2, 4];

    [Fact]
    public void TryTake_NewTenantAfterAFlood_IsNext()
    {
        FairQueue<int> queue = new();
        for (int i = 0; i < 100; i++)
            queue.Add("heavy", 1, i);
        Take(queue, 5).ShouldBe([0, 1, 2, 3, 4]);

        queue.Add("light", 1, -1);

        Take(queue, 2).ShouldBe([-1, 5]);
    }

    [Fact]
    public void TryTake_TenantThatWasAway_HasSavedNothingUp()
    {
        FairQueue<int> queue = new();
        queue.Add("b", 1, -1);
        for (int i = 0; i < 100; i++)
            queue.Add("a", 1, i);
        Take(queue, 50);

        for (int i = 0; i < 10; i++)
            queue.Add("b", 1, 1000 + i);

        // One after the other, not ten of the one who came back.
        Take(queue, 20).Count(item => item >= 1000).ShouldBe(10);
    }

    [Fact]
    public void TryTake_TenantThatMayNotGo_IsPassedOverAndSavesNothingUp()
    {
        FairQueue<int> queue = new();
        for (int i = 0; i < 100; i++)
        {
            queue.Add("capped", 1, 1000 + i);
            queue.Add("free", 1, i);
        }
        Take(queue, 50, tenant => tenant != "capped").ShouldBe(Enumerable.Range(0, 50));

        Take(queue, 20).Count(item => item >= 1000).ShouldBeInRange(9, 11);
    }

    [Fact]
    public void TryTake_NobodyMayGo_TakesNothing()
    {
        FairQueue<int> queue = new();
        queue.Add("a", 1, 1);

        queue.TryTake(_ => false, out _).ShouldBeFalse();
        queue.Count.ShouldBe(1);
        queue.TryTake(_ => true, out int item).ShouldBeTrue();
        item.ShouldBe(1);
        queue.TryTake(_ => true, out _).ShouldBeFalse();
    }

    [Fact]
    public void Remove_Waiting_IsNotTakenAndTheOthersKeepTheirOrder()
    {
        FairQueue<int> queue = new();
        for (int i = 0; i < 5; i++)
            queue.Add("a", 1, i);

        queue.Remove("a", 2).ShouldBeTrue();

        queue.Remove("a", 2).ShouldBeFalse();
        queue.Remove("b", 1).ShouldBeFalse();
        Take(queue, 4).ShouldBe([0, 1, 3, 4]);
        queue.Count.ShouldBe(0);
    }

    /// <summary>The bound of the paper: in any stretch in which two tenants wait all the time, what they were given by weight differs by at most an item of each.</summary>
    [Fact]
    public void TryTake_AllWaitAllTheTime_SharesAreTheirWeights() => Gen.Select(Weights, Gen.Int[0, 200], Gen.Int[1, 400]).Sample((weights, skipped, stretch) =>
    {
        FairQueue<int> queue = new();
        for (int i = 0; i < 2000; i++)
        {
            for (int tenant = 0; tenant < weights.Length; tenant++)
                queue.Add(Names[tenant], weights[tenant], tenant);
        }
        Take(queue, skipped);

        List<int> taken = Take(queue, stretch);

        double[] served = [.. weights.Select((weight, tenant) => taken.Count(item => item == tenant) / weight)];
        for (int a = 0; a < weights.Length; a++)
        {
            for (int b = 0; b < a; b++)
                Math.Abs(served[a] - served[b]).ShouldBeLessThanOrEqualTo((1 / weights[a]) + (1 / weights[b]) + 1e-9);
        }
    });

    /// <summary>Tenants come and go as they like, and may not go now and then: what comes in goes out once, in its tenant's order.</summary>
    [Fact]
    public void Any_ComingsAndGoings_NothingIsLostDoubledOrOvertakenWithinItsTenant() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 9]).Array[1, 300].Sample(steps =>
        {
            FairQueue<(int Tenant, int Number)> queue = new();
            List<(int Tenant, int Number)> waiting = [];
            for (int i = 0; i < steps.Length; i++)
            {
                var (tenant, what) = steps[i];
                if (what < 5)
                {
                    queue.Add(Names[tenant], 1 + tenant, (tenant, i));
                    waiting.Add((tenant, i));
                }
                else if (what == 5 && waiting.FindLast(item => item.Tenant == tenant) is { Number: > 0 } removed)
                {
                    queue.Remove(Names[tenant], removed).ShouldBeTrue();
                    waiting.Remove(removed);
                }
                else if (queue.TryTake(name => what > 7 || name != Names[tenant], out var taken))
                {
                    taken.ShouldBe(waiting.First(item => item.Tenant == taken.Tenant));
                    waiting.Remove(taken);
                }
                queue.Count.ShouldBe(waiting.Count);
                queue.CountOf(Names[tenant]).ShouldBe(waiting.Count(item => item.Tenant == tenant));
            }
            Take(queue, waiting.Count).ShouldBe(waiting, ignoreOrder: true);
            queue.Count.ShouldBe(0);
        });

    private static List<T> Take<T>(FairQueue<T> queue, int count, Func<string, bool>? mayGo = null)
        where T : notnull
    {
        List<T> taken = [];
        while (taken.Count < count && queue.TryTake(mayGo ?? (_ => true), out T item))
            taken.Add(item);
        return taken;
    }
}
