using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Storage.Workers;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests;

[Collection(nameof(ModelProcesses))]
public sealed class JoinCommandTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Join_TokenOfOneBox_LetsThatBoxInAndNoOther()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), cancellationToken: Cancellation);
        var enrolments = cluster.EdgeServices.GetRequiredService<WorkerEnrolments>();
        var (token, _) = await enrolments.CreateJoinTokenAsync(TimeSpan.FromMinutes(5), Cancellation);
        using TempFolder box = new(), other = new();

        (await JoinAsync(cluster, box, "--join-token", token)).ShouldBe(0);

        string id = await File.ReadAllTextAsync(box.File("worker.id"), Cancellation);
        (await enrolments.FindAsync(id, Cancellation)).ShouldNotBeNull();
        // It is known from now on, and needs no token.
        (await JoinAsync(cluster, box)).ShouldBe(0);
        (await JoinAsync(cluster, other, "--join-token", token)).ShouldBe(WorkerCommand.NotLetIn);
        File.Exists(other.File("worker.id")).ShouldBeFalse();
    }

    [Fact]
    public async Task Join_EdgeThatIsNoUrl_EndsBeforeItBegins()
    {
        int exitCode = await WorkerCommand.Create().Parse(["join", "--edge", "edge"]).InvokeAsync(cancellationToken: Cancellation);

        exitCode.ShouldBe(1);
    }

    private static Task<int> JoinAsync(TestCluster cluster, TempFolder data, params string[] more)
    {
        string[] arguments = ["join", "--edge", cluster.Client.BaseAddress!.ToString(), "--data", data.Path, .. more];
        return WorkerCommand.Create().Parse(arguments).InvokeAsync(cancellationToken: Cancellation);
    }
}
