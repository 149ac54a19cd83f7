using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace OllamaMax.Edge.Http;

/// <summary>
/// A key that stood in front of the request's path, <c>/k/&lt;key&gt;/api/chat</c>: for clients that can be given a base URL and nothing else. A feature
/// of the request once it is taken off.
/// </summary>
/// <param name="value">The key as it stood there, well formed or not.</param>
internal sealed class KeyInPath(string value)
{
    private const string Prefix = "/k/";
    private const string Hidden = "/k/…";

    public string Value => value;

    /// <summary>Takes the key off path and target and leaves it as a feature. Does nothing where there is none.</summary>
    public static void Take(IFeatureCollection features)
    {
        IHttpRequestFeature request = features.GetRequiredFeature<IHttpRequestFeature>();
        if (!request.Path.StartsWith(Prefix, StringComparison.Ordinal))
            return;
        int end = request.Path.IndexOf('/', Prefix.Length);
        features.Set(new KeyInPath(request.Path[Prefix.Length..(end < 0 ? ^0 : end)]));
        request.Path = end < 0 ? "/" : request.Path[end..];
        request.RawTarget = new PathString(request.Path).ToUriComponent() + request.QueryString;
    }

    /// <summary>The path as it may be shown and logged: a key stays out also where no host takes it off.</summary>
    public static string Shown(PathString path) =>
        path.Value is { } text && text.StartsWith(Prefix, StringComparison.Ordinal) ? Hidden : path.ToString();
}
