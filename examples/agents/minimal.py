from aion_sdk.agent import Agent
agent = Agent(agent_id="agent://tenantA/researcher-1", kernel_url="http://localhost:8010",
              secret="TENANT_A_SECRET", tenant="tenantA")
res = agent.syscall("tool.invoke", {"tool":"web_search","query":"AION-OS Kernel"})
print(res)
