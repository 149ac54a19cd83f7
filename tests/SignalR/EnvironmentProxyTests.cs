using System.Net;

namespace OllamaMax.SignalR;

public sealed class EnvironmentProxyTests
{
    [Theory]
    [InlineData("http://127.0.0.1:8888/", true)]
    [InlineData("http://localhost:8888/", true)]
    [InlineData("http://[::1]:8888/", true)]
    [InlineData("https://x.service.signalr.net/", false)]
    public void GetProxy_ProxySet_UsedForOtherMachinesOnly(string url, bool direct)
    {
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = new WebProxy("http://proxy.example:3128");
        try
        {
            Uri uri = new(url);
            EnvironmentProxy.Instance.IsBypassed(uri).ShouldBe(direct);
            EnvironmentProxy.Instance.GetProxy(uri).ShouldBe(direct ? null : new Uri("http://proxy.example:3128"));
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }
}
