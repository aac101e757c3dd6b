"""The D-Bus object's names and what it offers, as config/org.vfiod1.xml tells others. Pure."""

NAME = "org.vfiod1"
PATH = "/org/vfiod1"
HOOK = "org.vfiod1.Hook"
MANAGER = "org.vfiod1.Manager"

INTROSPECTION = f"""<node>
  <interface name="{HOOK}">
    <method name="Prepare">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
    </method>
    <method name="Started">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
    </method>
    <method name="Release">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
      <arg name="reason" type="s" direction="in"/>
    </method>
    <method name="Reconnect">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
    </method>
  </interface>
  <interface name="{MANAGER}">
    <method name="Status"><arg name="json" type="s" direction="out"/></method>
    <method name="Return"><arg name="force" type="b" direction="in"/></method>
    <method name="Rehearse">
      <arg name="guest" type="s" direction="in"/><arg name="xml" type="s" direction="in"/>
      <arg name="keep_desktop" type="b" direction="in"/>
    </method>
    <method name="ListGuests"><arg name="json" type="s" direction="out"/></method>
    <method name="StartGuest">
      <arg name="guest" type="s" direction="in"/>
      <arg name="delay_seconds" type="u" direction="in"/>
    </method>
    <method name="CancelStart"/>
    <method name="ProposeSession"><arg name="session" type="s" direction="in"/></method>
    <method name="ShutdownGuest">
      <arg name="guest" type="s" direction="in"/><arg name="force" type="b" direction="in"/>
    </method>
    <method name="ForceOff"><arg name="guest" type="s" direction="in"/></method>
    <method name="Keep">
      <arg name="guest" type="s" direction="in"/><arg name="seconds" type="u" direction="in"/>
    </method>
    <property name="Phase" type="s" access="read"/>
    <property name="Guest" type="s" access="read"/>
    <property name="Pending" type="s" access="read"/>
    <property name="PendingUntil" type="t" access="read"/>
    <property name="PendingBy" type="u" access="read"/>
    <signal name="Progress">
      <arg name="guest" type="s"/><arg name="direction" type="s"/><arg name="step" type="s"/>
      <arg name="message" type="s"/>
    </signal>
    <signal name="StartEnded">
      <arg name="guest" type="s"/><arg name="started" type="b"/><arg name="message" type="s"/>
    </signal>
  </interface>
</node>"""
