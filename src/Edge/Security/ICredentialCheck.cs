using OllamaMax.Edge.Http;
using OllamaMax.Security;

namespace OllamaMax.Edge.Security;

/// <summary>One kind of what a request's key may be.</summary>
internal interface ICredentialCheck
{
    /// <summary>Whether it is of this kind, by its form: if so, nobody else is asked.</summary>
    bool Takes(string key);

    /// <summary>Whose it is; or a 401 that does not repeat it.</summary>
    /// <exception cref="Azure.RequestFailedException">What would tell cannot be reached: nobody is let in unseen.</exception>
    ValueTask<Result<Principal>> CheckAsync(string key, CancellationToken cancellationToken);
}
