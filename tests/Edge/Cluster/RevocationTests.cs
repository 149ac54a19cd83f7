using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Edge.Tests.Support;
using OllamaMax.Storage;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Cluster;

/// <summary>An edge dies, or storage goes away, when a revocation is half done: the wish is put, and the worker is enrolled still.</summary>
public sealed class RevocationTests(AzuriteFixture azurite)
{
    private readonly StorageAccount _account = new(azurite.NewAccount());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Authenticate_RevokedAndStillEnrolled_IsRefused()
    {
        await _account.CreateContainersAsync(Cancellation);
        await using ServiceProvider edge = WholeEdge.Services(_account);
        WorkerGate gate = edge.GetRequiredService<WorkerGate>();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string stolen = await EnrolAsync(edge, key), other = await EnrolAsync(edge, key);
        (await gate.AuthenticateAsync(stolen, WorkerTokenSigner.Sign(key, stolen), Cancellation)).ShouldBeNull();

        await RevokeByHalfAsync(edge, stolen);

        (await gate.AuthenticateAsync(stolen, WorkerTokenSigner.Sign(key, stolen), Cancellation)).ShouldNotBeNull().Status.ShouldBe(401);
        (await gate.AuthenticateAsync(other, WorkerTokenSigner.Sign(key, other), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Tick_RevokedAndStillEnrolled_IsEnrolledNoMore()
    {
        await _account.CreateContainersAsync(Cancellation);
        await using ServiceProvider edge = WholeEdge.Services(_account), leader = WholeEdge.Services(_account);
        WorkerEnrolments enrolments = leader.GetRequiredService<WorkerEnrolments>();
        LeaderTick tick = leader.GetRequiredService<LeaderTick>();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string first = await EnrolAsync(edge, key), second = await EnrolAsync(edge, key), other = await EnrolAsync(edge, key);

        await RevokeByHalfAsync(edge, first);
        await tick.RunAsync(Cancellation);
        (await enrolments.FindAsync(first, Cancellation)).ShouldBeNull();
        await RevokeByHalfAsync(edge, second);
        // As it is with the next listing.
        await leader.GetRequiredService<ClusterDocuments>().State.ReadAsync(Cancellation);
        await tick.RunAsync(Cancellation);

        (await enrolments.FindAsync(second, Cancellation)).ShouldBeNull();
        (await enrolments.FindAsync(other, Cancellation)).ShouldNotBeNull();
    }

    private static async Task<string> EnrolAsync(ServiceProvider edge, ECDsa key)
    {
        WorkerEnrolments enrolments = edge.GetRequiredService<WorkerEnrolments>();
        (string token, _) = await enrolments.CreateJoinTokenAsync(TimeSpan.FromMinutes(5), Cancellation);
        return (await enrolments.EnrolAsync(token, "box", Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), Cancellation)).ShouldNotBeNull().Id;
    }

    private static async Task RevokeByHalfAsync(ServiceProvider edge, string workerId) => await edge.GetRequiredService<ClusterDocuments>().State.ChangeAsync(
        state => state.Apply(new ClusterCommand.Revoke(Guid.NewGuid().ToString("n"), workerId, DateTimeOffset.UnixEpoch)), Cancellation);
}
