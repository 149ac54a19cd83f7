using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.OpenApi;
using OllamaMax.Security;

namespace OllamaMax.Edge.Costs;

/// <summary><c>GET /cluster/cost</c>.</summary>
internal sealed class CostEndpoints(CostBook book, IOptions<CostOptions> prices) : IEndpointGroup
{
    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/cluster/cost", ShowAsync).WithMetadata(new RequiredPermission(Permissions.ReadCluster))
            .Describe(new(EndpointDescription.Own, "What the month has cost and will cost at this rate, of what edges count, at the configured prices.") { AnswerType = CostJson.Default.CostAnswer });

    private async Task ShowAsync(HttpContext context)
    {
        try
        {
            await JsonAnswer.WriteAsync(context, CostSheet.Of(await book.FlushAsync(context.RequestAborted), prices.Value), CostJson.Default.CostAnswer);
        }
        catch (DocumentException e)
        {
            await ErrorAnswer.WriteAsync(context, new ApiError(StatusCodes.Status503ServiceUnavailable, e.Message));
        }
    }
}
