using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Enrolment;

public sealed class EnrolmentTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enrol_WorkerIsLetInOrNot_OnlyTheFirstIsAnActAndUnderItsId()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1));
        using (HttpResponseMessage refused = await cluster.Client.PostAsJsonAsync("/cluster/enrolments", new { version = 1, name = "" }, Cancellation))
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        JsonElement workers = await cluster.Client.GetFromJsonAsync<JsonElement>("/cluster/workers", Cancellation);
        JsonElement log = await cluster.Client.GetFromJsonAsync<JsonElement>("/audit", Cancellation);

        JsonElement act = log.GetProperty("records").EnumerateArray().ShouldHaveSingleItem();
        (act.GetProperty("action").GetString(), act.GetProperty("subject").GetString(), act.GetProperty("status").GetInt32())
            .ShouldBe(("POST /cluster/enrolments", workers.GetProperty("workers")[0].GetProperty("id").GetString(), 200));
    }
}
