using CsCheck;
using OllamaMax.Placement;

namespace OllamaMax.Core.Tests.Placement;

public sealed class PrefixAffinityPolicyTests
{
    private static readonly PromptPrefix Model = PromptPrefix.OfModel("sha256:model");

    private static readonly Gen<Candidate> AnyCandidate = Gen.Select(
        Gen.Int[0, 1_000_000], Gen.Enum<Warmth>(), Gen.Int[0, 9], Gen.Int[0, 8], Gen.Int[PaceScale.Slowest, PaceScale.Fastest], Gen.Int[0, 8],
        (id, warmth, used, total, pace, said) => Worker(id, used, total, warmth, pace) with { Expected = Math.Max(used, Math.Min(said, total)) });

    private readonly PrefixAffinityPolicy _policy = new();

    [Fact]
    public void Choose_IdleWorkers_PromptsThatBeginAlikeGoToOne()
    {
        Candidate[] workers = Workers(100);

        string?[] chosen = [.. Enumerable.Range(0, 50).Select(i => _policy.Choose(workers, new(7, (ulong)i), Model)).Distinct()];

        // One, or the few that stand in the innermost ring together.
        chosen.Length.ShouldBeInRange(1, 3);
        _policy.Choose(workers, new(7, 1), Model).ShouldBe(_policy.Choose(workers, new(7, 1), Model));
    }

    [Fact]
    public void Choose_BeginningThatEverybodyAsksFor_HasAsManyWorkersAsItNeeds()
    {
        Candidate[] workers = Workers(100);
        for (int i = 0; i < 60; i++)
            Take(workers, new(7, (ulong)i));

        // Half of each worker's slots are taken before another one is: 30 workers would do, and circles double.
        workers.Count(worker => worker.Used > 0).ShouldBeInRange(30, 60);
        workers.Max(worker => worker.Used).ShouldBe(2);
    }

    [Fact]
    public void Choose_SteadyLoad_ConversationsComeBackToWhereTheyWere()
    {
        Candidate[] workers = Workers(100);
        string[] before = [.. Enumerable.Range(0, 60).Select(i => Take(workers, new(7, (ulong)i)))];
        int same = 0;
        for (int turn = 0; turn < 4; turn++)
        {
            same = 0;
            for (int i = 0; i < before.Length; i++)
            {
                int index = Array.FindIndex(workers, worker => worker.WorkerId == before[i]);
                workers[index] = With(workers[index], workers[index].Used - 1);
                string now = Take(workers, new(7, (ulong)i));
                same += now == before[i] ? 1 : 0;
                before[i] = now;
            }
        }

        // By chance it would be one or two.
        same.ShouldBeGreaterThan(40);
    }

    [Fact]
    public void Choose_HomeIsNearlyFull_OnlyAConversationThatGoesOnMayTakeItsLastSlot()
    {
        Candidate[] workers = Workers(20);
        string home = Take(workers, new(1, 1));
        Candidate nearlyFull = With(workers.Single(worker => worker.WorkerId == home), 3);
        Candidate other = With(workers.First(worker => worker.WorkerId != home), 1);

        string? asNew = _policy.Choose([nearlyFull, other], new(1, 1), Model);
        string? goesOn = _policy.Choose([nearlyFull, other], new PromptPrefix(1, 1) { IsContinued = true }, Model);
        string? isFull = _policy.Choose([With(nearlyFull, 4), other], new PromptPrefix(1, 1) { IsContinued = true }, Model);

        asNew.ShouldNotBe(home);
        goesOn.ShouldBe(home);
        isFull.ShouldBe(other.WorkerId);
    }

    [Fact]
    public void Choose_LongAgoItWasBusy_IsExpectedToBeAndAskedAllTheSame()
    {
        Candidate stale = Worker(1) with { Expected = 4 };

        _policy.Choose([stale], new(1, 1), Model).ShouldBe("1");
        _policy.Choose([stale, Worker(2)], new(1, 1), Model).ShouldBe("2");
    }

    [Fact]
    public void Choose_DistinctPrompts_AreSpreadBySpeed()
    {
        Candidate[] workers = [.. Enumerable.Range(0, 1000).Select(i => Worker(i, pace: i % 2 == 0 ? 1 : -1))];

        int fast = Prompts(10_000).Count(prompt => int.Parse(_policy.Choose(workers, prompt, Model)!, System.Globalization.CultureInfo.InvariantCulture) % 2 == 0);

        // Four times as fast, four times as often.
        ((double)fast / (10_000 - fast)).ShouldBeInRange(3.4, 4.7);
    }

    [Fact]
    public void Choose_AWorkerIsGone_OnlyItsOwnMove()
    {
        Candidate[] workers = Workers(50);
        Candidate[] others = workers[1..];

        foreach (PromptPrefix prompt in Prompts(500))
        {
            string? before = _policy.Choose(workers, prompt, Model);
            if (before != workers[0].WorkerId)
                _policy.Choose(others, prompt, Model).ShouldBe(before);
        }
    }

    [Fact]
    public void Choose_ModelInNobodysMemory_AllGoWhereItIsLoadedFirst()
    {
        Candidate[] workers = [.. Workers(50).Select(worker => worker with { Warmth = Warmth.Replica })];

        string home = Take(workers, new(1, 1));

        Prompts(100).ShouldAllBe(prompt => _policy.Choose(workers, prompt, Model) == home);
        // While it is on its way there, others wait for it there too.
        int index = Array.FindIndex(workers, worker => worker.WorkerId == home);
        workers[index] = With(workers[index], 3) with { Warmth = Warmth.Loading };
        _policy.Choose(workers, new(2, 2), Model).ShouldBe(home);
        workers[index] = With(workers[index], 4);
        _policy.Choose(workers, new(2, 2), Model).ShouldNotBe(home);
    }

    /// <summary>Whoever is chosen is free, has the model as near as any who is free, and is not much busier than the average of those.</summary>
    [Fact]
    public void Choose_AnyLoad_IsBounded() => Gen.Select(AnyCandidate.Array[0, 30], Gen.ULong, Gen.ULong).Sample((workers, beginning, conversation) =>
    {
        string? chosen = _policy.Choose(workers, new(beginning, conversation), Model);

        if (!workers.Any(worker => worker.HasFreeSlot))
        {
            chosen.ShouldBeNull();
            return;
        }
        Warmth warmest = workers.Where(worker => worker.HasFreeSlot).Max(worker => worker.Warmth);
        Candidate[] alike = [.. workers.Where(worker => worker.Warmth == warmest)];
        double share = Math.Max(0.5, 1.25 * alike.Sum(worker => worker.Expected) / alike.Sum(worker => worker.Total));
        alike.ShouldContain(worker => worker.WorkerId == chosen && worker.HasFreeSlot && worker.Expected < share * worker.Total);
    });

    [Fact]
    public void Choose_AmongAThousand_AllocatesNothing()
    {
        Candidate[] workers = Workers(1000);
        PromptPrefix[] prompts = [.. Prompts(100)];
        _policy.Choose(workers, prompts[0], Model);

        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (PromptPrefix prompt in prompts)
            _policy.Choose(workers, prompt, Model);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private static Candidate With(Candidate worker, int used) => worker with { Used = used, Expected = used };

    private string Take(Candidate[] workers, PromptPrefix prompt)
    {
        string chosen = _policy.Choose(workers, prompt, Model).ShouldNotBeNull();
        int index = Array.FindIndex(workers, worker => worker.WorkerId == chosen);
        workers[index] = With(workers[index], workers[index].Used + 1);
        return chosen;
    }

    private static IEnumerable<PromptPrefix> Prompts(int count) => Enumerable.Range(0, count).Select(i => PromptPrefix.OfText($"{i} is a prompt of its own"));

    private static Candidate[] Workers(int count) => [.. Enumerable.Range(0, count).Select(i => Worker(i))];

    private static Candidate Worker(int id, int used = 0, int total = 4, Warmth warmth = Warmth.Loaded, int pace = 0)
    {
        string name = id.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new(name, warmth, used, total) { Key = Candidate.KeyOf(name), Pace = pace };
    }
}
