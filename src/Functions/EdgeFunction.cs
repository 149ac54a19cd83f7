using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace OllamaMax.Functions;

/// <summary>The one HTTP trigger. No list of methods: the edge itself answers 405 where one is wrong.</summary>
public sealed class EdgeFunction(EdgeRequests edge)
{
    [Function("edge")]
    public async Task<IActionResult> RunAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, Route = "{*path}")] HttpRequest request, [DurableClient] DurableTaskClient hub)
    {
        // A function app gives one to each call and registers none.
        request.HttpContext.Features.Set(hub);
        await edge.HandleAsync(request.HttpContext);
        // The answer has been written; this tells the worker not to write one.
        return new EmptyResult();
    }
}
