using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace OllamaMax.Edge.Http;

/// <summary>Values of a route that may have slashes in them, as models' names do.</summary>
internal static class RouteText
{
    /// <summary>The value as the client meant it: a slash that it escaped, as client libraries do, stands for itself in a route. Null: the route has none.</summary>
    public static string? Of(HttpContext context, string value) => context.GetRouteValue(value) is string text ? Uri.UnescapeDataString(text) : null;
}
