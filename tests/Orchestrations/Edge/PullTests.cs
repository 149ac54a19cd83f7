using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Pulls;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.LocalHost;
using OllamaMax.TaskHub.Hosting;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;

namespace OllamaMax.Orchestrations.Tests.Edge;

/// <summary>Pulls that nobody follows, on the local task hub.</summary>
public sealed class PullTests
{
    private const int SentFirst = 2 << 20;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pull_ServerRestartsInBetween_GoesOnByItself()
    {
        await using FileSource source = await SourceAsync();
        await using JobCluster cluster = await StartAsync(source);

        (HttpStatusCode status, JsonElement begun) = await BeginAsync(cluster, "pulled", source.File);
        string id = begun.GetProperty("id").GetString()!;
        await UntilAsync(cluster, id, transfer => transfer.GetProperty("completed").GetInt64() >= 1 << 20);
        (_, JsonElement again) = await BeginAsync(cluster, "pulled", source.File);
        await cluster.RestartEdgeAsync();
        JsonElement end = await UntilAsync(cluster, id, transfer => transfer.GetProperty("state").GetString() != "running");

        status.ShouldBe(HttpStatusCode.Accepted);
        (begun.GetProperty("kind").GetString(), begun.GetProperty("state").GetString(), begun.GetProperty("model").GetString()).ShouldBe(("pull", "running", "pulled:latest"));
        again.GetProperty("id").GetString().ShouldBe(id);
        end.GetProperty("state").GetString().ShouldBe("completed", end.ToString());
        source.Starts.Count.ShouldBe(2);
        source.Starts.Last().ShouldBeInRange(1 << 20, SentFirst);
        JsonElement tags = await cluster.Client.GetFromJsonAsync<JsonElement>("/api/tags", Cancellation);
        tags.GetProperty("models").EnumerateArray().Select(model => model.GetProperty("name").GetString()).ShouldContain("pulled:latest");
    }

    [Fact]
    public async Task Pull_Cancelled_EndsAndIsSeenToHave()
    {
        await using FileSource source = await SourceAsync();
        await using JobCluster cluster = await StartAsync(source);
        (_, JsonElement begun) = await BeginAsync(cluster, "pulled", source.File);
        string id = begun.GetProperty("id").GetString()!;
        await UntilAsync(cluster, id, transfer => transfer.GetProperty("completed").GetInt64() >= 1 << 20);

        using HttpResponseMessage cancelled = await cluster.Client.DeleteAsync($"/cluster/transfers/{id}", Cancellation);
        JsonElement end = await UntilAsync(cluster, id, transfer => transfer.GetProperty("state").GetString() != "running");
        using HttpResponseMessage gone = await cluster.Client.DeleteAsync($"/cluster/transfers/{id}", Cancellation);

        cancelled.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        end.GetProperty("state").GetString().ShouldBe("cancelled");
        gone.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        source.Starts.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("no-such-model", "http://127.0.0.1:9/model.gguf", "from must be an https URL")]
    [InlineData("../x", null, "model")]
    public async Task Begin_WhatCannotBePulled_IsRefused(string model, string? from, string named)
    {
        await using FileSource source = await SourceAsync();
        await using JobCluster cluster = await StartAsync(source);

        (HttpStatusCode status, JsonElement answer) = await BeginAsync(cluster, model, from is null ? null : new Uri(from));

        status.ShouldBe(HttpStatusCode.BadRequest);
        answer.GetProperty("error").GetString().ShouldNotBeNull().ShouldContain(named);
    }

    [Fact]
    public async Task Pull_OfWhatIsNotThere_FailsWithTheReason()
    {
        await using FileSource source = await FileSource.StartAsync("<!doctype html>"u8.ToArray(), 1, Cancellation);
        await using JobCluster cluster = await StartAsync(source);
        // Whoever asks first gets a part and no end: that is this one.
        using HttpClient client = new();
        using HttpResponseMessage first = await client.GetAsync(source.File, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        (_, JsonElement begun) = await BeginAsync(cluster, "page", source.File);

        JsonElement end = await UntilAsync(cluster, begun.GetProperty("id").GetString()!, transfer => transfer.GetProperty("state").GetString() != "running");

        end.GetProperty("state").GetString().ShouldBe("failed");
        end.GetProperty("error").GetString().ShouldNotBeNull().ShouldContain("GGUF");
    }

    [Fact]
    public async Task Pull_OfAPrivateFile_HasTheTokenAndStorageHasNot()
    {
        const string secret = "hf_NothingOfThisIsStored";
        byte[] model = await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation);
        await using WebApplication source = LoopbackServer.Build();
        source.Run(context => context.Request.Headers.Authorization == $"Bearer {secret}"
            ? Results.Bytes(model).ExecuteAsync(context)
            : Results.Json(new { error = "who are you?" }, statusCode: 401).ExecuteAsync(context));
        await source.StartAsync(Cancellation);
        Uri server = new(source.Urls.Single());
        await using JobCluster cluster = await JobCluster.StartAsync(
            services: services => services.AddTaskHub(LocalTasks.Register).Configure<PullOptions>(pulls =>
            {
                pulls.Hosts.Add($"source={server}");
                pulls.Sources.Add(new() { Host = server.Authority, Token = secret });
            }));

        (_, JsonElement begun) = await BeginAsync(cluster, "private", new Uri(server, "model.gguf"));
        JsonElement end = await UntilAsync(cluster, begun.GetProperty("id").GetString()!, transfer => transfer.GetProperty("state").GetString() != "running");

        end.GetProperty("state").GetString().ShouldBe("completed", end.ToString());
        IReadOnlyList<StoredContent> stored = await StoredContent.ReadAllAsync(cluster.Storage, Cancellation);
        stored.ShouldContain(one => one.Has("private"));
        stored.Where(one => one.Has(secret)).Select(one => one.Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task Pull_OfAPrivateFileWithoutAToken_FailsAtOnceAndSaysWhatIsNeeded()
    {
        await using WebApplication source = LoopbackServer.Build();
        int asked = 0;
        source.Run(context =>
        {
            Interlocked.Increment(ref asked);
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        await source.StartAsync(Cancellation);
        Uri server = new(source.Urls.Single());
        await using JobCluster cluster = await JobCluster.StartAsync(
            services: services => services.AddTaskHub(LocalTasks.Register).Configure<PullOptions>(pulls => pulls.Hosts.Add($"source={server}")));

        (_, JsonElement begun) = await BeginAsync(cluster, "private", new Uri(server, "model.gguf"));
        JsonElement end = await UntilAsync(cluster, begun.GetProperty("id").GetString()!, transfer => transfer.GetProperty("state").GetString() != "running");

        end.GetProperty("state").GetString().ShouldBe("failed");
        end.GetProperty("error").GetString().ShouldNotBeNull().ShouldContain($"OllamaMax__Pull__Sources__0__Host={server.Authority}");
        asked.ShouldBe(1);
    }

    /// <summary>The demo model with something behind it that no tensor is in.</summary>
    private static async Task<FileSource> SourceAsync() => await FileSource.StartAsync(
        [.. await File.ReadAllBytesAsync(TestCluster.DemoModel, Cancellation), .. RandomNumberGenerator.GetBytes(SentFirst)], SentFirst, Cancellation);

    private static Task<JobCluster> StartAsync(FileSource source) => JobCluster.StartAsync(
        services: services => services.AddTaskHub(LocalTasks.Register).Configure<PullOptions>(pulls => pulls.Hosts.Add($"source={source.Server}")));

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> BeginAsync(JobCluster cluster, string model, Uri? from)
    {
        using HttpResponseMessage response = await cluster.Client.PostAsJsonAsync("/cluster/transfers", new { model, from }, Cancellation);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation));
    }

    private static async Task<JsonElement> UntilAsync(JobCluster cluster, string id, Func<JsonElement, bool> isIt)
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(50));
        JsonElement transfer;
        while (!isIt(transfer = await cluster.Client.GetFromJsonAsync<JsonElement>($"/cluster/transfers/{id}", Cancellation)))
            await timer.WaitForNextTickAsync(Cancellation);
        return transfer;
    }
}
