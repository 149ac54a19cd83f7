using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using OllamaMax.TestKit;

namespace OllamaMax.Orchestrations.Tests.Support;

/// <summary>What an edge answers to workers that claim jobs, as whoever reads along on the way would see it.</summary>
internal sealed class ClaimTap : IStartupFilter
{
    private readonly ConcurrentQueue<StoredContent> _heard = [];

    public IReadOnlyCollection<StoredContent> Heard => _heard;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(ListenAsync);
        next(app);
    };

    private async Task ListenAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value?.EndsWith("/claim", StringComparison.Ordinal) != true)
        {
            await next(context);
            return;
        }
        Stream body = context.Response.Body;
        using MemoryStream heard = new();
        context.Response.Body = heard;
        await next(context);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        context.Response.Body = body;
        _heard.Enqueue(new("claim", heard.ToArray()));
        await body.WriteAsync(heard.ToArray(), context.RequestAborted);
    }
}
