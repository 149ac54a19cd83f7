using System.Globalization;
using System.Net;
using System.Xml.Linq;

namespace OllamaMax.Storage.Tests;

/// <summary>
/// Azure's blob storage where it lends keys to an identity, and nothing else of it: Azurite does that over https with a certificate alone. The form is that of
/// https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key.
/// </summary>
internal sealed class LendingStorage(DateTimeOffset now) : HttpMessageHandler
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private readonly List<DateTimeOffset> _lent = [];

    public DateTimeOffset Now { get; set; } = now;

    /// <summary>When each of the keys that were lent expires.</summary>
    public IReadOnlyList<DateTimeOffset> Lent => _lent;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Method.ShouldBe(HttpMethod.Post);
        request.RequestUri!.Query.ShouldBe("?restype=service&comp=userdelegationkey");
        XElement asked = XElement.Parse(await request.Content!.ReadAsStringAsync(cancellationToken));
        DateTimeOffset expiry = DateTimeOffset.Parse(asked.Element("Expiry")!.Value, CultureInfo.InvariantCulture);
        if (expiry > Now + Longest)
            return new(HttpStatusCode.BadRequest);
        _lent.Add(expiry);
        XElement key = new(
            "UserDelegationKey",
            new XElement("SignedOid", Guid.Empty), new XElement("SignedTid", Guid.Empty), new XElement("SignedStart", Now.UtcDateTime), new XElement("SignedExpiry", expiry.UtcDateTime),
            new XElement("SignedService", "b"), new XElement("SignedVersion", "2024-11-04"), new XElement("Value", Convert.ToBase64String(new byte[32])));
        return new(HttpStatusCode.OK) { Content = new StringContent(new XDocument(key).ToString()) { Headers = { ContentType = new("application/xml") } }, RequestMessage = request };
    }
}
