using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;
using OllamaMax.Edge.Http;
using OllamaMax.Functions;

namespace OllamaMax.Infra.Tests;

/// <summary>What the function app puts around the edge's pipeline.</summary>
public sealed class EdgeRequestsTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Handle_RequestThatNeverEnds_IsCutBeforeTheHostWould()
    {
        TaskCompletionSource started = new();
        DefaultHttpContext context = new();
        EdgeRequests edge = new(
            async inner =>
            {
                started.SetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, inner.RequestAborted);
            },
            _time);

        Task handled = edge.HandleAsync(context);
        await started.Task;
        _time.Advance(EdgeRequests.Limit - TimeSpan.FromSeconds(1));
        handled.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));

        await Should.ThrowAsync<OperationCanceledException>(() => handled);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handle_LimitOrClient_CanBeToldApart(bool isLimit)
    {
        using CancellationTokenSource leaves = new();
        DefaultHttpContext context = new() { RequestAborted = leaves.Token };
        TimeSpan? seen = null;
        EdgeRequests edge = new(
            async inner =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, inner.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                seen = RequestLimit.ReachedBy(inner);
            },
            _time);

        Task handled = edge.HandleAsync(context);
        if (isLimit)
            _time.Advance(EdgeRequests.Limit);
        else
            await leaves.CancelAsync();
        await handled;

        seen.ShouldBe(isLimit ? EdgeRequests.Limit : null);
    }

    [Fact]
    public async Task Handle_ClientThatLeaves_IsSeenInside()
    {
        using CancellationTokenSource leaves = new();
        DefaultHttpContext context = new() { RequestAborted = leaves.Token };
        EdgeRequests edge = new(inner => Task.Delay(Timeout.InfiniteTimeSpan, inner.RequestAborted), _time);

        Task handled = edge.HandleAsync(context);
        await leaves.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => handled);
        context.RequestAborted.ShouldBe(leaves.Token);
    }

    [Fact]
    public async Task Handle_MatchOfTheOuterApp_IsHiddenInsideAndBackAfterwards()
    {
        Endpoint outer = new(null, null, "the catch-all function");
        RouteValuesFeature outerValues = new() { RouteValues = new(new { path = "api/chat" }) };
        DefaultHttpContext context = new();
        context.SetEndpoint(outer);
        context.Features.Set<IRouteValuesFeature>(outerValues);
        (Endpoint? Endpoint, int Values) inside = (outer, -1);
        EdgeRequests edge = new(
            inner =>
            {
                inside = (inner.GetEndpoint(), inner.Request.RouteValues.Count);
                return Task.CompletedTask;
            },
            _time);

        await edge.HandleAsync(context);

        inside.ShouldBe((null, 0));
        context.GetEndpoint().ShouldBe(outer);
        context.Features.Get<IRouteValuesFeature>().ShouldBe(outerValues);
    }
}
