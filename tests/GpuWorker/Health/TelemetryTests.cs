using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Threading.Channels;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Diagnostics;
using OllamaMax.GpuWorker.Tests.Background;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Cluster;
using OpenTelemetry.Trace;

namespace OllamaMax.GpuWorker.Tests.Health;

/// <summary>One request is one trace through all parts, and leaves the process where a setting says where to.</summary>
public sealed class TelemetryTests(AzuriteFixture azurite)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Request_WithTraceParent_IsOneTraceFromEdgeToEngine()
    {
        await using TestCluster cluster = await TestCluster.StartAsync(azurite.NewAccount(), logs: new LogLines(), cancellationToken: Cancellation);
        await cluster.AddWorkerAsync(new ScriptedEngine(slots: 1), Cancellation);
        var trace = ActivityTraceId.CreateRandom();
        var client = ActivitySpanId.CreateRandom();
        Channel<Activity> ended = Channel.CreateUnbounded<Activity>();
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == Telemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId == trace)
                    ended.Writer.TryWrite(span);
            },
        };
        ActivitySource.AddActivityListener(listener);

        using HttpRequestMessage request = new(HttpMethod.Post, "/api/chat")
        {
            Headers = { { "traceparent", $"00-{trace}-{client}-01" } },
            Content = JsonContent.Create(new { model = "demo", messages = new[] { new { role = "user", content = "hi" } }, stream = false }),
        };
        using HttpResponseMessage response = await cluster.Client.SendAsync(request, Cancellation);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Dictionary<string, Activity> spans = [];
        // Each part ends its spans in its own time.
        while (spans.Count < 5)
        {
            Activity span = await ended.Reader.ReadAsync(Cancellation);
            // The worker's own calls to the edge, while the attempt runs, are of the trace too.
            if (span.OperationName != "request" || span.ParentSpanId == client)
                spans.Add(span.OperationName, span);
        }
        Activity edge = spans["request"];
        (edge.ParentSpanId, edge.DisplayName).ShouldBe((client, "chat demo:latest"));
        edge.GetTagItem("gen_ai.usage.output_tokens").ShouldBe(20);
        spans["wait"].ParentSpanId.ShouldBe(edge.SpanId);
        Activity attempt = spans["attempt"];
        (attempt.ParentSpanId, attempt.GetTagItem("ollamamax.attempt")).ShouldBe((edge.SpanId, 1));
        spans["load"].ParentSpanId.ShouldBe(attempt.SpanId);
        Activity generate = spans["generate"];
        generate.ParentSpanId.ShouldBe(attempt.SpanId);
        generate.Events.Select(happening => happening.Name).ShouldBe(["first token"]);
    }

    [Fact]
    public async Task Export_EndpointIsSet_SendsSpansAndLogsThere()
    {
        Channel<(string Path, byte[] Body)> received = Channel.CreateUnbounded<(string, byte[])>();
        await using WebApplication collector = LoopbackServer.Build();
        collector.Run(async context =>
        {
            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            received.Writer.TryWrite((context.Request.Path, body.ToArray()));
        });
        await collector.StartAsync(Cancellation);
        IConfiguration settings = Settings((TelemetryServices.OtlpEndpoint, collector.Urls.Single()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"));

        await using (ServiceProvider process = new ServiceCollection().AddSingleton(settings).AddTelemetry("a-test", settings).Services.BuildServiceProvider())
        {
            process.StartTelemetry();
            Telemetry.Source.StartActivity("exported")!.Dispose();
            process.GetRequiredService<ILoggerFactory>().CreateLogger("OllamaMax.Tests").LogWarning("a line");
        }

        received.Writer.Complete();
        var all = await received.Reader.ReadAllAsync(Cancellation).ToListAsync(Cancellation);
        ShouldHave("/v1/traces", "exported");
        ShouldHave("/v1/traces", "a-test");
        ShouldHave("/v1/logs", "a line");

        void ShouldHave(string path, string text) =>
            all.Any(message => message.Path == path && Encoding.Latin1.GetString(message.Body).Contains(text, StringComparison.Ordinal)).ShouldBeTrue($"{path}: {text}");
    }

    [Fact]
    public async Task Export_NothingIsSet_MakesNoSpans()
    {
        await using ServiceProvider process = new ServiceCollection().AddTelemetry("a-test", Settings()).Services.BuildServiceProvider();

        process.StartTelemetry();

        process.GetService<TracerProvider>().ShouldBeNull();
    }

    /// <summary>Without it a resource that refuses its key refuses all that an edge sends, and nobody would see why.</summary>
    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("Authorization=Key", false)]
    [InlineData("Authorization=AAD", true)]
    [InlineData("ClientId=8a1e1c10-63f0-4c39-9d5e-3d4d3ad8a3c9;Authorization=aad", true)]
    public async Task Export_ToAzureMonitor_IsAsTheIdentityThatTheSettingNames(string? authentication, bool hasIdentity)
    {
        const string connection = "InstrumentationKey=11111111-2222-3333-4444-555555555555;IngestionEndpoint=https://127.0.0.1:1/";
        IConfiguration settings = Settings((TelemetryServices.AzureMonitor, connection), (TelemetryServices.AzureMonitorAuthentication, authentication!));
        await using ServiceProvider process = new ServiceCollection().AddTelemetry("a-test", settings).Services.BuildServiceProvider();

        AzureMonitorExporterOptions options = process.GetRequiredService<IOptions<AzureMonitorExporterOptions>>().Value;

        options.ConnectionString.ShouldBe(connection);
        (options.Credential is ManagedIdentityCredential).ShouldBe(hasIdentity);
        // Or the lines of all requests that are not traced would be left out, their errors too.
        options.EnableTraceBasedLogsSampler.ShouldBeFalse();
    }

    private static IConfiguration Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build();
}
