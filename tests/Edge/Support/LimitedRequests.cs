using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Tests.Support;

/// <summary>Has each request reach the limit of a server that has one, as a function app does, when it is cancelled; null: there is no limit.</summary>
internal sealed class LimitedRequests(CancellationToken? limit) : IStartupFilter
{
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(25);

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        if (limit is { } reached)
        {
            app.Use(async (context, inner) =>
            {
                CancellationToken left = context.RequestAborted;
                using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(left, reached);
                context.RequestAborted = both.Token;
                context.Features.Set(new RequestLimit(Limit, reached, left));
                await inner(context);
            });
        }
        next(app);
    };
}
