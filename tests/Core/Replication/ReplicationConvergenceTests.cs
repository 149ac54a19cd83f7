using OllamaMax.Replication;

namespace OllamaMax.Core.Tests.Replication;

/// <summary>A fleet in virtual time under the planner: orders get lost, reports are old, boxes are switched off and come back.</summary>
public sealed class ReplicationConvergenceTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ReplaceAfter = TimeSpan.FromMinutes(2);

    [Fact]
    public void Plan_AnyFleetAfterAnyOutages_ComesToRestWithAllThatIsPossible()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            Fleet fleet = new(seed);
            fleet.Run(ticks: 200, outages: 0.01, longestOutage: TimeSpan.FromMinutes(15));
            fleet.Run(ticks: 150, outages: 0, longestOutage: default);

            int begun = fleet.Begun;
            ReplicationPlan plan = fleet.Run(ticks: 50, outages: 0, longestOutage: default);

            (fleet.Begun - begun).ShouldBe(0, $"seed {seed}: copies are made for ever");
            plan.Orders.ShouldBeEmpty($"seed {seed}");
            foreach (PolicedModel model in fleet.Models)
            {
                ModelReplication state = plan.Models[model.Digest];
                (state.Actual >= state.Desired || state.BlockedBecause is not null).ShouldBeTrue($"seed {seed}: {model.Digest} has {state.Actual} of {state.Desired} for no reason");
                (model.Most is not { } most || state.Actual <= most).ShouldBeTrue($"seed {seed}: {model.Digest} has {state.Actual} of at most {model.Most}");
            }
        }
    }

    [Fact]
    public void Plan_BoxesAreStartedAnewOverAndOver_NoCopyIsMadeTwice()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            Fleet fleet = new(seed);
            fleet.Run(ticks: 100, outages: 0, longestOutage: default);
            int begun = fleet.Begun;

            // Silent for less than five of its intervals and the time to replace it.
            fleet.Run(ticks: 300, outages: 0.05, longestOutage: TimeSpan.FromSeconds(140));

            (fleet.Begun - begun).ShouldBe(0, $"seed {seed}");
        }
    }

    private sealed class Fleet
    {
        private readonly Random _random;
        private readonly SimulatedBox[] _boxes;
        private TimeSpan _now;

        public Fleet(int seed)
        {
            _random = new Random(seed);
            string[] sites = ["x", "y", "z"];
            _boxes = [.. Enumerable.Range(0, _random.Next(1, 12)).Select(i => new SimulatedBox($"w{i}", sites[_random.Next(sites.Length)], _random.Next(1, 6) * SimulatedBox.ModelBytes, _random))];
            Models = [.. Enumerable.Range(0, _random.Next(1, 6)).Select(i => new PolicedModel($"sha256:{i}", SimulatedBox.ModelBytes, [Policy(sites)]))];
        }

        public IReadOnlyList<PolicedModel> Models { get; }

        public int Begun => _boxes.Sum(box => box.Begun);

        public ReplicationPlan Run(int ticks, double outages, TimeSpan longestOutage)
        {
            ReplicationPlan plan = new(new Dictionary<string, ModelReplication>(), []);
            for (int i = 0; i < ticks; i++)
            {
                _now += Tick;
                foreach (SimulatedBox box in _boxes)
                {
                    box.Step(_now);
                    // Who comes back reports before it can go again.
                    if (_now >= box.OffUntil && _random.NextDouble() < outages)
                        box.OffUntil = _now + (longestOutage * _random.NextDouble());
                }
                plan = ReplicationPlanner.Plan(Models, [.. _boxes.Select(box => box.View(_now))], ReplaceAfter);
                foreach (ReplicaOrders orders in plan.Orders)
                    _boxes.Single(box => box.Id == orders.WorkerId).Hear(orders, _now);
            }
            return plan;
        }

        private ModelPolicy Policy(string[] sites)
        {
            int least = _random.Next(0, 5);
            return new ModelPolicy
            {
                MinReplicas = least,
                MaxReplicas = _random.Next(2) == 0 ? null : least + _random.Next(0, 2),
                Priority = _random.Next(0, 2),
                Warm = least > 0 && _random.Next(3) == 0,
                PreferredLabels = _random.Next(3) == 0 ? new Dictionary<string, IReadOnlyList<string>> { ["site"] = [sites[_random.Next(sites.Length)]] } : null,
                ExcludedLabels = _random.Next(4) == 0 ? new Dictionary<string, IReadOnlyList<string>> { ["site"] = [sites[_random.Next(sites.Length)]] } : null,
                Pin = _random.Next(3) == 0,
                Labels = _random.Next(4) == 0 ? new Dictionary<string, string> { ["site"] = sites[_random.Next(sites.Length)] } : [],
            };
        }
    }
}
