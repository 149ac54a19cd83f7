using CsCheck;
using OllamaMax.Jobs;

namespace OllamaMax.Core.Tests.Protocol;

/// <summary>
/// The protocol's state machines (owners, echo watch, ledgers, output buffers) in virtual time, through random losses, doublings, delays, deaths and
/// hangs: no output of two attempts ever mixes, no accepted job is forgotten, no answer that cannot be continued is continued, no slot and no message is left over.
/// </summary>
public sealed class ProtocolTests
{
    /// <summary>Longer than any wait in the protocol: deadlines, visibility, an edge's end.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromMinutes(4);

    private static readonly Gen<double> Chance = Gen.Double[0, 0.2];
    private static readonly Gen<double> Seldom = Gen.Double[0, 0.15];

    [Fact]
    public void Jobs_AnyWeather_EachIsAnsweredOnceAndWholeAndNothingIsLeft() =>
        Gen.Select(Gen.Int[1, int.MaxValue - 1], Chance, Chance, Chance, Seldom, Seldom, Gen.Double[0, 0.03], Gen.Double[0, 0.05])
            .Select((seed, drop, twice, delay, deaths, hangs, edges, deafness) => new Weather(seed, drop, twice, delay, deaths, hangs, edges, deafness))
            .Sample(static weather => { Check(weather); }, iter: 60, threads: 1);

    [Fact]
    public void Jobs_MoreThanSlotsInBadWeather_AreAnsweredThroughTheQueueAndNothingIsLeft() =>
        Gen.Select(Gen.Int[1, int.MaxValue - 1], Chance, Chance, Seldom)
            .Select((seed, drop, twice, deaths) => new Weather(seed, drop, twice, 0, deaths, 0, 0, 0) { Jobs = 2.4 })
            .Sample(static weather => { Check(weather); }, iter: 20, threads: 1);

    [Fact]
    public void Jobs_MessagesLostAndDoubledOnly_NobodyIsTakenOver() =>
        Gen.Select(Gen.Int[1, int.MaxValue - 1], Gen.Double[0, 0.1], Chance, Gen.Double[0.5, 2.4])
            .Select((seed, drop, twice, jobs) => new Weather(seed, drop, twice, 0, 0, 0, 0, 0) { Jobs = jobs })
            .Sample(
                static weather =>
                {
                    SimulatedCluster cluster = Check(weather);
                    foreach ((_, List<JobOutput> outputs, _) in cluster.Answers)
                    {
                        // A grant may be lost until it is given up, but whoever has begun ends what it began.
                        int first = SimulatedCluster.Tokens(outputs.OfType<JobOutput.Delta>().First().Text).First().Attempt;
                        outputs[^1].ShouldBeOfType<JobOutput.Finished>().Statistics.Attempts.ShouldBe(first);
                    }
                },
                iter: 20,
                threads: 1);

    [Fact]
    public void Jobs_FineWeather_TakeOneAttemptAndEachTokenTravelsOnce()
    {
        SimulatedCluster cluster = new(new Weather(1, 0, 0, 0, 0, 0, 0, 0) { SlowGrants = 0 });

        cluster.Run(Calm);

        cluster.Answers.Count.ShouldBeGreaterThan(10);
        foreach ((_, List<JobOutput> outputs, _) in cluster.Answers)
            outputs[^1].ShouldBeOfType<JobOutput.Finished>().Statistics.Attempts.ShouldBe(1);
        cluster.TokensSent.ShouldBe(cluster.Answers.Count * SimulatedCluster.AnswerTokens);
    }

    private static SimulatedCluster Check(Weather weather)
    {
        SimulatedCluster cluster = new(weather);

        cluster.Run(Calm);

        cluster.Violations.ShouldBeEmpty();
        foreach ((Job job, List<JobOutput> outputs, bool edgeDied) in cluster.Answers)
            CheckAnswer(job, outputs, edgeDied);
        cluster.SlotsUsed.ShouldAllBe(used => used == 0);
        cluster.Unfinished.ShouldBeEmpty();
        cluster.Queue.Count.ShouldBe(0);
        return cluster;
    }

    private static void CheckAnswer(Job job, List<JobOutput> outputs, bool edgeDied)
    {
        string text = string.Concat(outputs.OfType<JobOutput.Delta>().Select(delta => delta.Text));
        (int Index, int Attempt)[] tokens = [.. SimulatedCluster.Tokens(text)];
        tokens.Select(token => token.Index).ShouldBe(Enumerable.Range(0, tokens.Length));
        tokens.Zip(tokens.Skip(1)).ShouldAllBe(pair => pair.First.Attempt <= pair.Second.Attempt);
        outputs.Count(output => output is JobOutput.Finished or JobOutput.Failed).ShouldBeLessThanOrEqualTo(1);
        if (job.Forward is not null)
            tokens.Select(token => token.Attempt).Distinct().Count().ShouldBeLessThanOrEqualTo(1);
        if (edgeDied)
            return;
        // What nobody can go on with fails once it has begun, and is never given up before that.
        if (job.Forward is not null && outputs[^1] is JobOutput.Failed { Error: var error })
        {
            tokens.Length.ShouldBeInRange(1, SimulatedCluster.AnswerTokens);
            error.Message.ShouldStartWith("the answer broke off");
            return;
        }
        outputs[^1].ShouldBeOfType<JobOutput.Finished>($"{(outputs[^1] as JobOutput.Failed)?.Error}");
        tokens.Length.ShouldBe(SimulatedCluster.AnswerTokens);
    }
}
