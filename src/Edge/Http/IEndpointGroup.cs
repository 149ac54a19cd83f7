using Microsoft.AspNetCore.Routing;

namespace OllamaMax.Edge.Http;

/// <summary>The endpoints of one area. Each area registers its own; the pipeline maps all that are registered.</summary>
internal interface IEndpointGroup
{
    void Map(IEndpointRouteBuilder endpoints);
}
