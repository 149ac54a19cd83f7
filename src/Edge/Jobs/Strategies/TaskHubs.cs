using Microsoft.AspNetCore.Http;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using OllamaMax.Edge.Http;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>The task hub: this process's, or that of a call where a function app has given it one.</summary>
internal sealed class TaskHubs(IServiceProvider services)
{
    public Result<DurableTaskClient> Of(HttpContext context) => (context.Features.Get<DurableTaskClient>() ?? services.GetService<DurableTaskClient>()) is { } hub
        ? hub
        : new ApiError(StatusCodes.Status501NotImplemented, "this server has no task hub, which this needs");
}
