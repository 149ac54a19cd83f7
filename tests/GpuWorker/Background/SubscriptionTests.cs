using System.Diagnostics;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using OllamaMax.LocalHost.SignalR;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.GpuWorker.Tests.Background;

/// <summary>The TypeScript client library with the official SignalR client in it, in Node, against a whole cluster.</summary>
public sealed class SubscriptionTests(ClientLibrary library) : IClassFixture<ClientLibrary>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", 0)]
    [InlineData("", 0, true)]
    [InlineData("", 7)]
    [InlineData("seed=5,drop=0.3,double=0.3,reorder=0.3", 0)]
    [InlineData("seed=6,drop=0.1,reconnect=5", 0)]
    public async Task Follow_WhateverSignalRDoes_TheTextIsWhole(string faults, int after, bool isEncrypted = false)
    {
        await using JobCluster cluster = await JobCluster.StartAsync(keys: isEncrypted ? ContentKeyTexts.Of("k1") : null);
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine(slots: 1)
        {
            AnswerTokens = 200,
            BeforeToken = (index, stop) => index < 10 ? Task.CompletedTask : index == 10 ? gate.Task.WaitAsync(stop) : Task.Delay(20, stop),
        };
        await cluster.AddWorkerAsync(engine);
        string id = await cluster.Client.SubmitAsync();
        await cluster.Client.ShowWhenAsync(id, "running");
        cluster.Faults = SignalRFaultOptions.Parse(faults);
        using Process node = library.Run("follow.mjs", cluster.Client.BaseAddress!.ToString(), id, after.ToString(System.Globalization.CultureInfo.InvariantCulture));
        string text = "";
        JsonElement last = default;

        while (await node.StandardOutput.ReadLineAsync(Cancellation) is { } line)
        {
            last = JsonDocument.Parse(line).RootElement;
            text += last.GetProperty("text").GetString();
            gate.TrySetResult();
        }

        (ScriptedEngine.Answer(after) + text).ShouldBe(ScriptedEngine.Answer(200));
        last.GetProperty("offset").GetInt32().ShouldBe(200);
        last.GetProperty("end").GetProperty("status").GetString().ShouldBe("completed");
    }

    [Fact]
    public async Task Submit_AnswersLost_IsOneJob()
    {
        await using JobCluster cluster = await JobCluster.StartAsync();
        List<int> answered = [];
        await using WebApplication proxy = LoopbackServer.Build();
        // The first answer never arrives, the second says that the first is still being taken on.
        proxy.Run(async context =>
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "/jobs") { Content = new StreamContent(context.Request.Body) };
            request.Headers.Add("Idempotency-Key", context.Request.Headers["Idempotency-Key"].ToString());
            using HttpResponseMessage response = await cluster.Client.SendAsync(request, Cancellation);
            answered.Add((int)response.StatusCode);
            if (answered.Count == 1)
                context.Abort();
            else if (answered.Count == 2)
                context.Response.StatusCode = StatusCodes.Status409Conflict;
            else
                await response.Content.CopyToAsync(context.Response.Body, Cancellation);
        });
        await proxy.StartAsync(Cancellation);
        using Process node = library.Run("submit.mjs", proxy.Urls.Single(), "k-1");

        JsonElement job = JsonElement.Parse(await node.StandardOutput.ReadToEndAsync(Cancellation));

        answered.ShouldBe([202, 202, 202]);
        (await cluster.Store.ListAsync(Cancellation).ToListAsync(Cancellation)).ShouldHaveSingleItem().Id.ShouldBe(job.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Rules_OlderAttemptsDoublesAndGaps_AreTold()
    {
        using Process node = library.Run("rules.mjs");
        await node.StandardInput.WriteAsync(JsonSerializer.Serialize(new[]
        {
            Progress(attempt: 1, after: 0, offset: 2, "ab"),
            Progress(attempt: 1, after: 0, offset: 2, "ab"),
            Progress(attempt: 2, after: 3, offset: 4, "d"),
            Progress(attempt: 1, after: 2, offset: 3, "c"),
            Progress(attempt: 2, after: 2, offset: 3, "c"),
            Progress(attempt: 2, after: 3, offset: 4, "d"),
            Progress(attempt: 2, after: 2, offset: 5, "cde"),
        }));
        node.StandardInput.Close();

        string told = await node.StandardOutput.ReadToEndAsync(Cancellation);

        told.Trim().ShouldBe("""[{"text":"ab"},{"text":""},"gap",{"text":""},{"text":"c"},{"text":"d"},"gap"]""");
    }

    private static object Progress(int attempt, int after, int offset, string text) =>
        new { job_id = "j", attempt, after, offset, text, ended = false };
}
