namespace OllamaMax.Core.Tests.Protocol;

/// <summary>What goes wrong in a simulated cluster, as chances from 0 to 1; all of it ends after <see cref="Lasts"/>.</summary>
/// <param name="Seed">Of all chance in the simulation.</param>
/// <param name="Drop">A message is lost.</param>
/// <param name="Double">A message comes twice.</param>
/// <param name="Delay">A message is late, by up to a second: others overtake it.</param>
/// <param name="Deaths">In each second, a worker dies and another process takes its place.</param>
/// <param name="Hangs">In each second, a worker stands still for some seconds and then goes on as if nothing had happened.</param>
/// <param name="EdgeDeaths">In each second, the edge dies with all its jobs.</param>
/// <param name="Deafness">In each second, the edge's own connection is cut for some seconds.</param>
internal sealed record Weather(int Seed, double Drop, double Double, double Delay, double Deaths, double Hangs, double EdgeDeaths, double Deafness)
{
    /// <summary>Jobs that come in a second; with more than the cluster's slots are good for, they wait in the queue.</summary>
    public double Jobs { get; init; } = 0.7;

    /// <summary>A grant needs storage, which takes its time.</summary>
    public double SlowGrants { get; init; } = 0.3;

    public static readonly TimeSpan Lasts = TimeSpan.FromSeconds(40);
}
