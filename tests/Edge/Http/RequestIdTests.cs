using System.Diagnostics;
using System.Net;
using OllamaMax.Diagnostics;
using OllamaMax.Edge.Tests.Support;

namespace OllamaMax.Edge.Tests.Http;

public sealed class RequestIdTests
{
    private const string Hello = """{"model":"demo","prompt":"hi"}""";

    [Fact]
    public async Task AnyRequest_WithoutId_GetsOneOfItsOwn()
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage first = await edge.SendAsync(HttpMethod.Get, "/");
        using HttpResponseMessage second = await edge.SendAsync(HttpMethod.Get, "/nowhere");

        string id = first.Headers.GetValues("x-request-id").Single();
        id.Length.ShouldBe(26);
        second.Headers.GetValues("x-request-id").Single().ShouldNotBe(id);
    }

    [Theory]
    [InlineData("has space")]
    [InlineData("semi;colon")]
    [InlineData("")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789")]
    public async Task AnyRequest_WithUnusableId_GetsAnother(string id)
    {
        await using EdgeServer edge = await EdgeServer.StartAsync();

        using HttpResponseMessage response = await edge.SendAsync(HttpMethod.Get, "/", null, ("x-request-id", id));

        response.Headers.GetValues("x-request-id").Single().Length.ShouldBe(26);
    }

    [Fact]
    public async Task Generate_WithTraceParent_JobCarriesTheTrace()
    {
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == Telemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync(
            "/api/generate", Hello, ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await edge.Jobs.NextAsync()).Job.TraceParent.ShouldNotBeNull().ShouldStartWith("00-0af7651916cd43dd8448eb211c80319c-");
    }

    /// <summary>Most clients send none, and what begins no trace that is recorded is in none.</summary>
    [Theory]
    [InlineData(null, "-01")]
    [InlineData("nonsense", "-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "-00")]
    public async Task Generate_AsTheSdkSamples_IsRecordedUnlessTheClientSaysNot(string? traceParent, string flags)
    {
        using ActivityListener listener = new()
        {
            ShouldListenTo = source => source.Name == Telemetry.Name,
            // Its default: what has a parent does as its parent does.
            Sample = (ref ActivityCreationOptions<ActivityContext> span) => span.Parent == default || span.Parent.TraceFlags == ActivityTraceFlags.Recorded
                ? ActivitySamplingResult.AllDataAndRecorded
                : ActivitySamplingResult.None,
        };
        ActivitySource.AddActivityListener(listener);
        await using EdgeServer edge = await EdgeServer.StartAsync();
        edge.Jobs.Script = job => job.Accept().Finish();

        using HttpResponseMessage response = await edge.PostAsync("/api/generate", Hello, traceParent is null ? [] : [("traceparent", traceParent)]);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await edge.Jobs.NextAsync()).Job.TraceParent.ShouldNotBeNull().ShouldEndWith(flags);
    }
}
