using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Storage.Blobs.Models;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.LocalHost;
using OllamaMax.Storage;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>What is deleted while it is taken on: who submits it is told so, and nothing of it stays that nobody would ever delete.</summary>
public sealed class DeletedSubmissionTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private readonly MeddlingRelay _relay = new(azurite.Process.Endpoints.BlobPort);
    private JobCluster? _cluster;
    private StorageAccount? _account;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private HttpClient Http => _cluster!.Client;

    public async ValueTask InitializeAsync()
    {
        _cluster = await JobCluster.StartAsync(services: services => services.AddTaskHub(LocalTasks.Register), azurite: azurite, relay: _relay);
        _account = new(_cluster.Storage);
    }

    [Fact]
    public async Task Strategy_DeletedBeforeItsContentIsThere_LeavesNeitherContentNorOrchestration()
    {
        Task deleted = BeforePutAsync($"{Containers.Jobs}/strategy-content/", async () =>
        {
            JsonElement listed = await Http.GetFromJsonAsync<JsonElement>("/jobs", Cancellation);
            string id = listed.GetProperty("jobs").EnumerateArray().ShouldHaveSingleItem().GetProperty("id").GetString()!;
            (await Http.DeleteJobAsync(id)).ShouldBe(HttpStatusCode.NoContent);
        });

        using HttpResponseMessage response = await Http.PostAsJsonAsync("/jobs", new { strategy = "n", n = 2, model = "demo", prompt = "hi" }, Cancellation);

        await deleted;
        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        await NothingIsLeftAsync();
    }

    [Fact]
    public async Task Batch_ErasedBeforeItsOrchestrationIsThere_LeavesNoOrchestration()
    {
        string file = await Http.UploadAsync(BatchCalls.Line("a", new { model = "demo", messages = new[] { new { role = "user", content = "x" } } }));
        Task erased = BeforePutAsync($"{Containers.TaskHub}/instances/", async () =>
        {
            using HttpResponseMessage answer = await Http.DeleteAsync("/tenants/local/data", Cancellation);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        });

        using HttpResponseMessage response = await Http.PostBatchAsync(file, "/v1/chat/completions", key: null);

        await erased;
        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        await NothingIsLeftAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        await _relay.DisposeAsync();
    }

    private Task BeforePutAsync(string path, Func<Task> act) => _relay.BeforeAsync($"PUT /{_account!.Blobs.AccountName}/{path}", act);

    private async Task NothingIsLeftAsync()
    {
        DurableTaskClient hub = _cluster!.EdgeServices.GetRequiredService<DurableTaskClient>();
        (await hub.GetAllInstancesAsync().ToListAsync(Cancellation)).ShouldBeEmpty();
        List<BlobItem> left = await _account!.Blobs.GetBlobContainerClient(Containers.Jobs).GetBlobsAsync(new GetBlobsOptions(), Cancellation).ToListAsync(Cancellation);
        left.Select(blob => blob.Name).ShouldBeEmpty();
    }
}
